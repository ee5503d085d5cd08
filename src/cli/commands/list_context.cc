#include "base/text.h"
#include "cli/code_filter.h"
#include "cli/commands/commands.h"
#include "cli/output_place.h"
#include "store/capture.h"
#include "wire/json_text.h"

namespace plz {
namespace {

std::vector<std::string> paths_of(const std::vector<CapturedFile>& files, bool directories_too) {
  std::vector<std::string> paths;
  for (const CapturedFile& file : files)
    if (directories_too || !file.is_directory) paths.push_back(file.path);
  return paths;
}

// A line a path, as they are: names of other bytes than text go through untouched, but to a terminal, which they could
// give orders.
std::string as_lines(const std::vector<std::string>& paths, bool to_terminal) {
  std::string text;
  for (const auto& path : paths) text += (to_terminal ? printable(path) : path) + "\n";
  return text;
}

std::string as_json(const std::vector<std::string>& paths) {
  std::string json = "[";
  for (const auto& path : paths) json += (json.size() > 1 ? ", " : "") + quote_json(path);
  return indent_json(json + "]") + "\n";
}

}  // namespace

Result<int> perform(Session& session, const ListContextOptions& options) {
  const std::string output = output_pattern(std::nullopt, session.working_directory());
  PLZ_ASSIGN(PendingCodeFilter pending, start_code_filter(session, output));
  PLZ_ASSIGN(const CodeFilter filter, pending.finish());
  for (const auto& warning : filter.warnings) session.messages().warning(warning);
  CaptureOptions capture;
  capture.filter = filter.filter.get();
  capture.follow_links = session.configuration().follow_links ? FollowLinks::outward : FollowLinks::hugging_face;
  PLZ_ASSIGN(const CaptureListing listing, list_capture(session.configuration().context_path, capture));
  const auto paths = options.excluded ? paths_of(listing.left_out, true) : paths_of(listing.captured, false);
  PLZ_TRY(session.out().write(options.json ? as_json(paths) : as_lines(paths, session.out().is_terminal())));
  return 0;
}

}  // namespace plz
