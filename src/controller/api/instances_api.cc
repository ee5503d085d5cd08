#include "controller/api/answers.h"
#include "controller/api/field_rules.h"
#include "controller/api/routes.h"
#include "controller/controller.h"
#include "wire/instance_json.h"

namespace plz {
namespace {

constexpr size_t kMostKillBytes = 1u << 20;
constexpr size_t kMostInstances = 10'000;
constexpr size_t kMostUserBytes = 1'024;

Result<void> check_kill(const KillRequest& kill) {
  PLZ_TRY(check_count("instance_ids", kill.instance_ids.size(), kMostInstances));
  return kill.user.empty() ? Result<void>() : check_printable("user", kill.user, kMostUserBytes);
}

}  // namespace

void add_instance_routes(Router& router, ControllerContext& context) {
  router.add("GET", "/v1/instances", [&context](Request&, const PathParameters&) {
    return json_answer(instances_to_json(context.workers.instances()));
  });
  router.add("POST", "/v1/instances/kill", [&context](Request& request, const PathParameters&) {
    return answer(request, [&]() -> Result<Response> {
      PLZ_ASSIGN(std::string body, request.body->read_all(kMostKillBytes));
      PLZ_ASSIGN(KillRequest kill, kill_from_json(body));
      PLZ_TRY(check_kill(kill));
      PLZ_ASSIGN(KillAnswer killed, context.workers.kill(kill));
      return json_answer(kill_answer_to_json(killed));
    });
  });
}

}  // namespace plz
