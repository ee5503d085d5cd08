#include "cli/output_place.h"

#include <algorithm>

#include "cli/output_directories.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr std::string_view kDefaultPattern = "output/%e";

bool is_at_or_below(std::string_view path, std::string_view directory) {
  return path == directory || directory == "/" ||
         (path.starts_with(directory) && path.substr(directory.size()).starts_with('/'));
}

}  // namespace

std::string output_pattern(const std::optional<std::string>& given, std::string_view working_directory) {
  return absolute_path(given ? std::string_view(*given) : kDefaultPattern, working_directory);
}

std::string expand_output_pattern(std::string_view pattern, ExecutionId id) {
  std::string expanded;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern.substr(i, 2) == "%e") {
      expanded += id.to_string();
      ++i;
    } else {
      expanded += pattern[i];
    }
  }
  return expanded;
}

std::string output_root(std::string_view pattern, const std::string& directory, std::string_view working_directory) {
  const size_t id = pattern.find("%e");
  if (id == std::string_view::npos) return directory;
  const std::string above(pattern.substr(0, pattern.rfind('/', id)));
  if (above.empty() || is_at_or_below(working_directory, above)) return directory;
  return above;
}

void remember_output(Session& session, const std::string& pattern, const std::string& directory) {
  const std::string root = output_root(pattern, directory, session.working_directory());
  OutputDirectories known(session.data_directory());
  const auto nearby = known.below(parent_path(root));
  if (std::find(nearby.begin(), nearby.end(), root) != nearby.end()) return;
  auto remembered = known.remember(root);
  if (!remembered)
    session.messages().warning("The next run may take the output for code: " + remembered.error().message);
}

}  // namespace plz
