#include "cli/code_filter.h"

#include "cli/output_directories.h"

namespace plz {

Result<PendingCodeFilter> start_code_filter(const Session& session, const std::string& output_template) {
  const Configuration& configuration = session.configuration();
  CaptureFilterSources sources;
  sources.context_path = configuration.context_path;
  sources.excluded_paths = configuration.excluded_paths;
  sources.included_paths = configuration.included_paths;
  sources.exclude_gitignored_files = configuration.exclude_gitignored_files;
  sources.output_templates = {output_template};
  sources.output_directories = OutputDirectories(session.data_directory()).below(configuration.context_path);
  // plz's own data grows with every run: captured, it would hold itself.
  sources.output_directories.push_back(session.data_directory());
  // Without it there would be nothing to build; it lies in the root, where every rule is asked.
  if (configuration.has_dockerfile) sources.needed_paths = {"plz.Dockerfile"};
  sources.environment = session.environment();
  sources.trust = configuration.trust;
  return PendingCodeFilter::start(std::move(sources));
}

}  // namespace plz
