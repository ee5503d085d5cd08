#include "cli/attendance.h"
#include "cli/commands/commands.h"
#include "cli/interrupt.h"
#include "cli/log_follower.h"

namespace plz {
namespace {

LogsRequest logs_request(const LogsOptions& options, ExecutionId id) {
  LogsRequest request{id};
  request.from_now = options.since.empty();
  if (options.since != "start") request.since = options.since;
  return request;
}

}  // namespace

Result<int> perform(Session& session, const LogsOptions& options) {
  Interrupt interrupt;
  PLZ_ASSIGN(const Execution execution, session.execution(options.execution));
  if (options.since.empty() && execution.state == ExecutionState::finished)
    session.messages().warning("The execution has finished; its log: plz logs --since start " +
                               execution.id.to_string());
  session.messages().info("Streaming logs...");
  PLZ_ASSIGN(const FollowEnd end,
             LogFollower(session, interrupt)
                 .follow(logs_request(options, execution.id), execution.spec.is_composite()));
  session.messages().plain("");
  if (end != FollowEnd::interrupted) return 0;
  tell_how_to_reattach(session.messages(), execution.id);
  return interrupt.exit_status();
}

}  // namespace plz
