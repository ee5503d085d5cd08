#include "cli/commands/commands.h"

namespace plz {

Result<int> perform(Session& session, const StopOptions& options) {
  PLZ_ASSIGN(const Execution execution, session.execution(options.execution));
  if (execution.state == ExecutionState::finished) {
    session.messages().info("Execution " + execution.id.to_string() + " has finished already");
    return 0;
  }
  PLZ_TRY(session.call([&](ApiClient& api) { return api.stop(execution.id, options.grace); }));
  session.messages().info("Stopping execution " + execution.id.to_string());
  return 0;
}

}  // namespace plz
