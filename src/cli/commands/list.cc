#include <fmt/core.h>

#include "cli/commands/commands.h"
#include "cli/table.h"
#include "wire/execution_json.h"
#include "wire/instance_json.h"
#include "wire/json_text.h"

namespace plz {
namespace {

std::string seconds_text(const std::optional<Timestamp>& time) {
  // To the second: 2026-03-01T12:00:00Z.
  return time ? format_rfc3339(*time).substr(0, 19) + "Z" : "";
}

Result<std::vector<Execution>> unfinished_executions(Session& session, bool all_users) {
  ListRequest request;
  request.unfinished = true;
  if (!all_users) request.user = session.configuration().user;
  std::vector<Execution> all;
  do {
    PLZ_ASSIGN(ExecutionPage page, session.call([&](ApiClient& api) { return api.list(request); }));
    all.insert(all.end(), std::make_move_iterator(page.executions.begin()),
               std::make_move_iterator(page.executions.end()));
    request.cursor = page.cursor;
  } while (request.cursor);
  return all;
}

std::string executions_table(const std::vector<Execution>& executions) {
  Table table({"EXECUTION", "USER", "PROJECT", "STATUS", "SUBMITTED", "WAITING FOR"});
  for (const Execution& execution : executions)
    table.add({{"EXECUTION", execution.id.to_string()},
               {"USER", execution.spec.user},
               {"PROJECT", execution.spec.project},
               {"STATUS", std::string(to_string(execution.state))},
               {"SUBMITTED", seconds_text(execution.times.submitted)},
               {"WAITING FOR", execution.waiting_for}});
  return table.as_text(200);
}

std::string running_on(const Instance& instance) {
  std::string ids;
  for (const ExecutionId& id : instance.executions) ids += (ids.empty() ? "" : " ") + id.to_string();
  return ids;
}

std::string instances_table(const std::vector<Instance>& instances) {
  Table table({"INSTANCE", "TYPE", "STATUS", "IDLE SINCE", "DISPOSAL", "EXECUTIONS"});
  for (const Instance& instance : instances)
    table.add({{"INSTANCE", instance.id.to_string()},
               {"TYPE", instance.type.empty() ? instance.provider : instance.type},
               {"STATUS", std::string(to_string(instance.state))},
               {"IDLE SINCE", seconds_text(instance.idle_since)},
               {"DISPOSAL", seconds_text(instance.disposal)},
               {"EXECUTIONS", running_on(instance)}});
  return table.as_text(200);
}

std::string as_json(const std::vector<Execution>& executions, const std::vector<Instance>& instances) {
  return indent_json(
             merge_json_objects(execution_page_to_json({executions, std::nullopt}), instances_to_json(instances))) +
         "\n";
}

}  // namespace

Result<int> perform(Session& session, const ListOptions& options) {
  PLZ_ASSIGN(const auto executions, unfinished_executions(session, options.all_users));
  PLZ_ASSIGN(const auto instances, session.call([](ApiClient& api) { return api.instances(); }));
  PLZ_TRY(session.out().write(options.json ? as_json(executions, instances)
                                           : executions_table(executions) + "\n" + instances_table(instances)));
  return 0;
}

}  // namespace plz
