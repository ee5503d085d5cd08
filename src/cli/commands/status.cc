#include <fmt/core.h>

#include "cli/commands/commands.h"
#include "cli/commands/composite.h"
#include "cli/execution_report.h"
#include "wire/execution_json.h"
#include "wire/json_text.h"

namespace plz {
namespace {

std::string lines_of(const Execution& execution) {
  std::string text;
  for (const auto& line : status_lines(execution)) text += line + "\n";
  return text;
}

// How the parts are doing, in one sentence.
std::string tally(const std::vector<Execution>& parts) {
  size_t finished = 0, failed = 0;
  for (const Execution& part : parts) {
    if (part.state != ExecutionState::finished) continue;
    ++finished;
    if (!part.outcome || !part.outcome->succeeded()) ++failed;
  }
  return fmt::format("{} of {} parts have finished{}", finished, parts.size(),
                     failed ? fmt::format(", {} of them without success", failed) : "");
}

Result<int> print_composite(Session& session, const Execution& execution, bool json) {
  if (json) {
    PLZ_TRY(print_composite_json(session, execution, true));
    return 0;
  }
  PLZ_ASSIGN(const auto parts, parts_of(session, execution.id));
  session.messages().info(tally(parts));
  std::string text;
  for (const Execution& part : parts) text += prefixed_for_indices(part, lines_of(part));
  PLZ_TRY(session.out().write(text));
  return 0;
}

}  // namespace

Result<int> perform(Session& session, const StatusOptions& options) {
  PLZ_ASSIGN(const Execution execution, session.execution(options.execution));
  if (execution.spec.is_composite()) return print_composite(session, execution, options.json);
  PLZ_TRY(session.out().write(options.json ? indent_json(execution_to_json(execution)) + "\n" : lines_of(execution)));
  return 0;
}

}  // namespace plz
