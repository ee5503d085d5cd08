#include "cli/session.h"

#include <fmt/core.h>

namespace plz {

Session::Session(Parts parts, Messages& messages, OutputStream& out, const Clock& clock)
    : parts_(std::move(parts)), messages_(messages), out_(out), clock_(clock) {}

Result<ApiClient*> Session::api() {
  if (!api_) {
    PLZ_ASSIGN(Endpoint found, endpoint());
    api_ = std::make_unique<ApiClient>(std::move(found), client_settings());
  }
  return api_.get();
}

Result<ExecutionId> Session::execution_id(const OptionalExecution& named) {
  if (named) return *named;
  const std::string& user = configuration().user;
  auto last = call([&](ApiClient& api) { return api.last(user, std::nullopt); });
  if (!last && last.error().code == ErrorCode::not_found)
    return fail(ErrorCode::not_found, fmt::format("{} has run nothing yet", user),
                "plz run -- COMMAND starts something");
  return last;
}

Result<Execution> Session::execution(ExecutionId id) {
  auto found = call([&](ApiClient& api) { return api.execution(id); });
  if (!found && found.error().code == ErrorCode::not_found)
    return fail(ErrorCode::not_found, fmt::format("there is no execution {}", id.to_string()),
                "plz history --all knows them all");
  return found;
}

Result<Execution> Session::execution(const OptionalExecution& named) {
  PLZ_ASSIGN(const ExecutionId id, execution_id(named));
  return execution(id);
}

}  // namespace plz
