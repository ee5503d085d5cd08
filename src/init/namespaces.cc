#include "init/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "init/file.h"

namespace plz::init {
namespace {

// The kernel takes a map in one write only.
bool write_proc(const char* path, const std::string& text) {
  Fd fd(open(path, O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool write_own_id_maps(uid_t uid, gid_t gid) {
  std::string user = std::to_string(uid), group = std::to_string(gid);
  return write_proc("/proc/self/setgroups", "deny") &&
         write_proc("/proc/self/gid_map", group + " " + group + " 1") &&
         write_proc("/proc/self/uid_map", user + " " + user + " 1");
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

std::string through_descriptor(const Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

}  // namespace

bool enter_namespaces(bool (*ask_parent)(int channel), int channel) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  if (uid == 0 && ask_parent(channel)) return true;
  return write_own_id_maps(uid, gid);
}

bool write_root_id_maps(pid_t child) {
  std::string directory = "/proc/" + std::to_string(child);
  return write_proc((directory + "/gid_map").c_str(), identity_map("/proc/self/gid_map")) &&
         write_proc((directory + "/uid_map").c_str(), identity_map("/proc/self/uid_map"));
}

bool mount_overlay(const CodeSpec& code) {
  // Named by descriptor: an overlay's options know commas and colons, and end at 4096 bytes.
  Fd lower(open(code.source, O_PATH | O_DIRECTORY | O_CLOEXEC));
  Fd upper(open(code.upper, O_PATH | O_DIRECTORY | O_CLOEXEC));
  Fd work(open(code.work, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!lower || !upper || !work) return false;
  std::string options = "lowerdir=" + through_descriptor(lower) + ",upperdir=" +
                        through_descriptor(upper) + ",workdir=" + through_descriptor(work) +
                        ",userxattr";
  // Without `volatile` (Linux 5.10) the end of the job would sync the whole file system below.
  if (mount("plz-code", code.target, "overlay", 0, (options + ",volatile").c_str()) == 0) return true;
  return errno == EINVAL && mount("plz-code", code.target, "overlay", 0, options.c_str()) == 0;
}

}  // namespace plz::init
