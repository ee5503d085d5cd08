#include "init/namespaces.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>

#include "init/file.h"

namespace plz::init {
namespace {

// The kernel takes a map in one write only.
bool write_proc(const std::string& path, const std::string& text) {
  Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool write_own_maps(uid_t inside_uid, uid_t outside_uid, gid_t inside_gid, gid_t outside_gid) {
  auto one = [](unsigned inside, unsigned outside) {
    return std::to_string(inside) + " " + std::to_string(outside) + " 1";
  };
  return write_proc("/proc/self/setgroups", "deny") && write_proc("/proc/self/gid_map", one(inside_gid, outside_gid)) &&
         write_proc("/proc/self/uid_map", one(inside_uid, outside_uid));
}

// Lines "inside outside count" of this process's own map, each mapped to itself: what is not mapped
// here cannot be mapped there.
std::string identity_map(const char* own_map) {
  std::string text, map;
  if (!read_whole(AT_FDCWD, own_map, text)) return map;
  const char* at = text.c_str();
  unsigned long inside, outside, count;
  int used;
  while (sscanf(at, "%lu %lu %lu%n", &inside, &outside, &count, &used) == 3) {
    map += std::to_string(inside) + " " + std::to_string(inside) + " " + std::to_string(count) + "\n";
    at += used;
  }
  return map;
}

// Not among them what would let a job reach plz-init (SYS_PTRACE) or undo the mounts (SYS_ADMIN).
constexpr int kKeptCapabilities[] = {CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER,  CAP_FSETID,
                                     CAP_KILL,    CAP_SETGID,       CAP_SETUID,  CAP_SETPCAP,
                                     CAP_SETFCAP, CAP_SYS_CHROOT,   CAP_NET_RAW, CAP_NET_BIND_SERVICE};

}  // namespace

pid_t fork_into_namespaces(bool network) {
  unsigned long flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | (network ? 0UL : CLONE_NEWNET);
  return static_cast<pid_t>(syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

bool map_person_to_root(uid_t uid, gid_t gid) { return write_own_maps(0, uid, 0, gid); }

bool become_the_person(uid_t uid, gid_t gid) { return unshare(CLONE_NEWUSER) == 0 && write_own_maps(uid, 0, gid, 0); }

bool map_every_id(pid_t child) {
  std::string directory = "/proc/" + std::to_string(child);
  return write_proc(directory + "/gid_map", identity_map("/proc/self/gid_map")) &&
         write_proc(directory + "/uid_map", identity_map("/proc/self/uid_map"));
}

bool limit_capabilities() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    bool kept = std::find(std::begin(kKeptCapabilities), std::end(kKeptCapabilities), capability) !=
                std::end(kKeptCapabilities);
    if (!kept && prctl(PR_CAPBSET_DROP, capability) != 0) return false;
  }
  return true;
}

bool bring_up_loopback() {
  Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return fd && ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

}  // namespace plz::init
