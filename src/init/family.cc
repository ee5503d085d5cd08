#include "init/family.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "init/file.h"
#include "init/record.h"

namespace plz::init {
namespace {

constexpr int64_t kPatienceMicroseconds = 5'000'000;

pid_t parent_of(const char* pid) {
  std::string stat;
  if (!read_whole(AT_FDCWD, (std::string("/proc/") + pid + "/stat").c_str(), stat)) return -1;
  // The name, in parentheses, may hold anything: "1 (a) b) S 2 …".
  size_t after_name = stat.rfind(')');
  int parent = -1;
  if (after_name != stat.npos) sscanf(stat.c_str() + after_name + 1, " %*c %d", &parent);
  return parent;
}

void kill_children() {
  DIR* processes = opendir("/proc");
  if (!processes) return;
  while (dirent* entry = readdir(processes))
    if (pid_t pid = atoi(entry->d_name); pid > 0 && parent_of(entry->d_name) == getpid()) kill(pid, SIGKILL);
  closedir(processes);
}

// False: there is none to reap just now. Sets `none_left` when there are no children at all.
bool reap_one(bool& none_left) {
  pid_t pid = waitpid(-1, nullptr, WNOHANG);
  none_left = pid < 0 && errno == ECHILD;
  return pid > 0;
}

}  // namespace

void kill_family(const Spec& spec, pid_t leader) {
  if (spec.own_pid_namespace) {
    kill(-1, SIGKILL);
    return;
  }
  kill(-leader, SIGKILL);
  kill(leader, SIGKILL);
}

void end_family(const Spec& spec, pid_t leader) {
  bool none_left = false;
  int64_t start = Moment::now().boottime_us;
  if (!spec.own_pid_namespace && leader > 0) kill(-leader, SIGKILL);
  for (;;) {
    while (reap_one(none_left)) {
    }
    if (none_left || Moment::now().boottime_us - start > kPatienceMicroseconds) return;
    if (spec.own_pid_namespace) kill(-1, SIGKILL);
    else kill_children();
    poll(nullptr, 0, 1);
  }
}

}  // namespace plz::init
