#include "os/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string>

namespace plz {
namespace {

constexpr int kAlways = O_NOFOLLOW | O_CLOEXEC;
constexpr int kReadDirectory = O_RDONLY | O_DIRECTORY;
// Of directories on the way: what may be passed through need not be readable.
constexpr int kPassThrough = O_PATH | O_DIRECTORY;
// What longer paths are opened in parts of.
constexpr size_t kLongestPart = PATH_MAX - 1;

std::string_view without_slashes(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path;
}

bool leads_out(std::string_view path) {
  if (path.starts_with('/')) return true;
  while (!path.empty()) {
    size_t end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

// Removes the first names of `path` that together take at most `limit` bytes, at least one.
std::string take_names(std::string_view& path, size_t limit) {
  size_t end = path.size();
  if (end > limit) {
    end = path.rfind('/', limit);
    if (end == path.npos) end = std::min(path.find('/'), path.size());
  }
  std::string names(path.substr(0, end));
  path = without_slashes(path.substr(end));
  return names;
}

UniqueFd open_name_by_name(int from, std::string_view path, int flags, unsigned mode) {
  UniqueFd here;
  for (;;) {
    std::string name = take_names(path, 0);
    const bool last = path.empty();
    UniqueFd next(openat(here ? here.get() : from, name.c_str(), (last ? flags : kPassThrough) | kAlways, mode));
    if (last || !next) return next;
    here = std::move(next);
  }
}

UniqueFd open_part(int from, const std::string& path, int flags, unsigned mode) {
  open_how how = {};
  how.flags = static_cast<unsigned>(flags | kAlways);
  how.mode = flags & O_CREAT ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  int fd = static_cast<int>(syscall(SYS_openat2, from, path.c_str(), &how, sizeof how));
  // Kernels before 5.6 lack the call; some container engines forbid it with EPERM.
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) return open_name_by_name(from, path, flags, mode);
  return UniqueFd(fd);
}

}  // namespace

UniqueFd open_beneath(int root, std::string_view path, int flags, unsigned mode) {
  if (leads_out(path)) {
    errno = EXDEV;
    return UniqueFd();
  }
  path = without_slashes(path);
  if (path.empty()) return UniqueFd(openat(root, ".", flags | kAlways, mode));
  UniqueFd here;
  for (;;) {
    std::string names = take_names(path, kLongestPart);
    const bool last = path.empty();
    UniqueFd next = open_part(here ? here.get() : root, names, last ? flags : kPassThrough, mode);
    if (last || !next) return next;
    here = std::move(next);
  }
}

UniqueFd open_directory_beneath(int root, std::string_view path) { return open_beneath(root, path, kReadDirectory); }

std::string path_of_descriptor(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

}  // namespace plz
