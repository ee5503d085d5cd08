#include <fmt/core.h>

#include "cli/commands/commands.h"
#include "wire/instance_json.h"
#include "wire/json_text.h"

namespace plz {

Result<int> perform(Session& session, const PingOptions& options) {
  PLZ_ASSIGN(const Endpoint endpoint, session.endpoint());
  PLZ_ASSIGN(const Ping ping, session.call([&](ApiClient& api) { return api.ping(session.ping_timeout()); }));
  if (options.json) PLZ_TRY(session.out().write(indent_json(ping_to_json(ping)) + "\n"));
  else
    session.messages().info(fmt::format("The controller is alive: version {}, at {}, with {} unfinished executions",
                                        ping.version, endpoint.to_string(), ping.unfinished));
  return 0;
}

}  // namespace plz
