#include "controller/api/answers.h"
#include "controller/api/routes.h"
#include "controller/controller.h"
#include "wire/instance_json.h"

namespace plz {

void add_instance_routes(Router& router, ControllerContext& context) {
  router.add("GET", "/v1/instances", [&context](Request&, const PathParameters&) {
    return json_answer(instances_to_json(context.workers.instances()));
  });
  router.add("POST", "/v1/instances/kill", [&context](Request& request, const PathParameters&) {
    return answer(request, [&]() -> Result<Response> {
      PLZ_ASSIGN(std::string body, request.body->read_all(kMaxJsonBytes));
      PLZ_ASSIGN(KillRequest kill, kill_from_json(body));
      PLZ_ASSIGN(KillAnswer killed, context.workers.kill(kill));
      return json_answer(kill_answer_to_json(killed));
    });
  });
}

}  // namespace plz
