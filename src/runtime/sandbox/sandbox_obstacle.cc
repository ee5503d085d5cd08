#include "runtime/sandbox/sandbox_obstacle.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

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

bool is_refusal_of_sandbox(std::string_view words) {
  // What plz-init was at; see init/launcher.cc and init/box.cc. Of bubblewrap 0.8: its bubblewrap.c.
  constexpr std::string_view kStages[] = {"cannot make namespaces",
                                          "cannot map user ids",
                                          "cannot mount the sandbox's",
                                          "cannot make in the sandbox",
                                          "cannot enter the sandbox's",
                                          "cannot give up",
                                          "bwrap: "};
  constexpr int kRefusals[] = {EPERM, EACCES, ENOSYS, EINVAL};
  auto says = [&](std::string_view part) { return words.find(part) != words.npos; };
  if (says("bwrap: No permissions to creat") || says("does not support user namespaces")) return true;
  return std::any_of(std::begin(kStages), std::end(kStages), says) &&
         std::any_of(std::begin(kRefusals), std::end(kRefusals),
                     [&](int error) { return says(std::string(": ") + strerror(error)); });
}

std::string sandbox_obstacle(const std::string& proc_sys) {
  for (const auto& obstacle : kObstacles) {
    auto value = read_file(join_path(proc_sys, obstacle.setting));
    if (value && trim(*value) == obstacle.forbidding) return obstacle.words;
  }
  return "";
}

}  // namespace plz
