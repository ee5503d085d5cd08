#include "os/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <string>

namespace plz {
namespace {

constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Removes the first names of `path` that together take at most `limit` bytes, at least one.
std::string take_names(std::string_view& path, size_t limit) {
  size_t end = path.size();
  if (end > limit) {
    end = path.rfind('/', limit);
    if (end == path.npos) end = std::min(path.find('/'), path.size());
  }
  std::string names(path.substr(0, end));
  path.remove_prefix(std::min(end + 1, path.size()));
  return names;
}

UniqueFd open_name_by_name(int from, std::string_view path) {
  UniqueFd here;
  while (!path.empty()) {
    std::string name = take_names(path, 0);
    UniqueFd next(openat(here ? here.get() : from, name.c_str(), kFlags));
    if (!next) return next;
    here = std::move(next);
  }
  return here;
}

UniqueFd open_without_links(int from, const std::string& path) {
  open_how how = {};
  how.flags = kFlags;
  how.resolve = RESOLVE_NO_SYMLINKS;
  int fd = static_cast<int>(syscall(SYS_openat2, from, path.c_str(), &how, sizeof how));
  // Kernels before 5.6 lack the call; some container engines forbid it with EPERM.
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) return open_name_by_name(from, path);
  return UniqueFd(fd);
}

}  // namespace

UniqueFd open_directory_beneath(int root, std::string_view path) {
  if (path.empty()) return UniqueFd(openat(root, ".", kFlags));
  UniqueFd here;
  while (!path.empty()) {
    UniqueFd next = open_without_links(here ? here.get() : root, take_names(path, PATH_MAX - 1));
    if (!next) return next;
    here = std::move(next);
  }
  return here;
}

}  // namespace plz
