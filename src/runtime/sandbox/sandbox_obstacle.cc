#include "runtime/sandbox/sandbox_obstacle.h"

#include "base/text.h"
#include "os/file.h"
#include "os/process.h"

namespace plz {
namespace {

constexpr std::chrono::seconds kVersionPatience{5};

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
     "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or install a profile for bwrap)"},
};

}  // namespace

Error no_bubblewrap() {
  return {ErrorCode::unavailable, "bubblewrap (bwrap) was not found", "apt-get install bubblewrap"};
}

std::string bubblewrap_version(const std::string& bwrap_path) {
  auto pipe = make_pipe();
  if (!pipe) return "";
  SpawnOptions options;
  options.program = bwrap_path;
  options.arguments = {"bwrap", "--version"};
  options.stdout_fd = pipe->in.get();
  if (!run_process(options, kVersionPatience)) return "";
  pipe->in.reset();
  char text[128];
  auto size = read_up_to(pipe->out.get(), text, sizeof text);
  return size ? printable(trim(std::string_view(text, *size))) : "";
}

std::string sandbox_obstacle() { return sandbox_obstacle("/proc/sys"); }

std::string sandbox_obstacle(const std::string& proc_sys) {
  for (const auto& obstacle : kObstacles) {
    auto value = read_file(join_path(proc_sys, obstacle.setting));
    if (value && trim(*value) == obstacle.forbidding) return std::string("; ") + obstacle.words;
  }
  return "";
}

}  // namespace plz
