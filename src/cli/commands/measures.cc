#include <charconv>

#include "cli/commands/commands.h"
#include "cli/commands/composite.h"
#include "cli/json_view.h"
#include "wire/json_text.h"

namespace plz {
namespace {

std::string_view summary_in(std::string_view measures) { return json_find(measures, {"summary"}).value_or("{}"); }

// The measures of a composite are an object from index to measures.
std::string by_index(std::string_view measures, bool summary) {
  std::string text;
  for (const auto& [name, of_index] : json_members(measures)) {
    int64_t index = 0;
    std::from_chars(name.data(), name.data() + name.size(), index);
    text += prefix_lines(index, indent_json(summary ? summary_in(of_index) : of_index));
  }
  return text;
}

}  // namespace

Result<int> perform(Session& session, const MeasuresOptions& options) {
  PLZ_ASSIGN(const Execution execution, session.execution(options.execution));
  const std::string_view prefix = options.summary ? "summary" : "";
  PLZ_ASSIGN(const std::string measures,
             session.call([&](ApiClient& api) { return api.measures(execution.id, prefix); }));
  if (execution.spec.is_composite() || execution.spec.indices)
    PLZ_TRY(session.out().write(by_index(measures, options.summary)));
  else PLZ_TRY(session.out().write(indent_json(options.summary ? summary_in(measures) : measures) + "\n"));
  return 0;
}

}  // namespace plz
