#include "cli/commands/commands.h"

namespace plz {

Result<int> perform(Session& session, const LastOptions&) {
  PLZ_ASSIGN(const ExecutionId id, session.execution_id(std::nullopt));
  PLZ_TRY(session.out().write(id.to_string() + "\n"));
  return 0;
}

}  // namespace plz
