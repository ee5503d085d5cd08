#include "cli/attendance.h"
#include "cli/commands/commands.h"
#include "cli/interrupt.h"
#include "cli/log_damage.h"
#include "cli/log_follower.h"
#include "cli/preparation_watch.h"

namespace plz {
namespace {

LogsRequest logs_request(const LogsOptions& options, ExecutionId id) {
  LogsRequest request{id};
  request.from_now = options.since == "now";
  if (options.since != "now" && options.since != "start") request.since = options.since;
  return request;
}

// Of a job that has not started, or never did.
std::unique_ptr<PreparationWatch> preparation_of(Session& session, const Execution& execution) {
  if (execution.times.started) return nullptr;
  return watch_preparation(session, execution.id, execution.spec.snapshot.environment);
}

}  // namespace

Result<int> perform(Session& session, const LogsOptions& options) {
  Interrupt interrupt;
  PLZ_ASSIGN(const Execution execution, session.execution(options.execution));
  session.messages().info("Streaming logs...");
  auto preparation = preparation_of(session, execution);
  LogFollower follower(session, interrupt);
  PLZ_ASSIGN(const FollowEnd end, follower.follow(logs_request(options, execution.id), execution.spec.is_composite()));
  if (preparation && end == FollowEnd::complete) preparation->finish();
  preparation.reset();
  session.messages().plain("");
  if (end == FollowEnd::complete) {
    PLZ_ASSIGN(const bool damaged, is_log_damaged(session, interrupt, execution.id, follower.first_offset()));
    return damaged ? 1 : 0;
  }
  if (end != FollowEnd::interrupted) return 0;
  tell_how_to_reattach(session.messages(), execution.id);
  return interrupt.exit_status();
}

}  // namespace plz
