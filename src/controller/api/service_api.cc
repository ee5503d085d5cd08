#include <unistd.h>

#include "controller/api/answers.h"
#include "controller/api/routes.h"
#include "controller/controller.h"
#include "wire/instance_json.h"

namespace plz {

void add_routes(Router& router, ControllerContext& context) {
  add_service_routes(router, context);
  add_blob_routes(router, context);
  add_execution_routes(router, context);
  add_history_routes(router, context);
  add_instance_routes(router, context);
  add_collection_routes(router, context);
  add_event_routes(router, context);
  add_worker_routes(router, context);
}

bool is_worker_request(const Request& request) {
  return request.target.path.starts_with("/v1/workers") || request.target.path.starts_with("/v1/attempts");
}

void add_service_routes(Router& router, ControllerContext& context) {
  router.add("GET", "/v1/ping", [&context](Request&, const PathParameters&) {
    Ping ping;
    ping.version = context.settings.version;
    ping.embedded = context.settings.embedded;
    ping.pid = getpid();
    ping.unfinished = context.executions.unfinished();
    ping.started = context.started;
    return json_answer(ping_to_json(ping));
  });
  router.add("POST", "/v1/shutdown", [&context](Request& request, const PathParameters&) {
    if (!context.settings.embedded)
      return problem_response(
          403, Error{ErrorCode::invalid, "only an embedded controller can be ended by a request", {}}, request.id);
    context.shutdown_requested = true;
    return json_answer("{}");
  });
}

}  // namespace plz
