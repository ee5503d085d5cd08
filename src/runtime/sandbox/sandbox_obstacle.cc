#include "runtime/sandbox/sandbox_obstacle.h"

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

struct Obstacle {
  const char* setting;
  const char* forbidding;  // the value that forbids
  const char* words;
};

constexpr Obstacle kObstacles[] = {
    {"user/max_user_namespaces", "0",
     "user namespaces are forbidden (sysctl user.max_user_namespaces is 0; root can allow some with "
     "`sysctl user.max_user_namespaces=10000`)"},
    {"kernel/unprivileged_userns_clone", "0",
     "user namespaces are forbidden for ordinary users (root can allow them with "
     "`sysctl kernel.unprivileged_userns_clone=1`)"},
    {"kernel/apparmor_restrict_unprivileged_userns", "1",
     "AppArmor restricts user namespaces (root can allow them with "
     "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or install bubblewrap and its profile)"},
};

}  // namespace

std::string sandbox_obstacle(const std::string& proc_sys) {
  for (const auto& obstacle : kObstacles) {
    auto value = read_file(join_path(proc_sys, obstacle.setting));
    if (value && trim(*value) == obstacle.forbidding) return obstacle.words;
  }
  return "";
}

}  // namespace plz
