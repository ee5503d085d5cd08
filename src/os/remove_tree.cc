#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.h"
#include "os/file.h"

namespace plz {
namespace {

// So many directories are open at once: a tree may be deeper than a process may have descriptors, and than its
// stack allows.
constexpr int kDeepest = 64;
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseListing {
  void operator()(DIR* listing) const { closedir(listing); }
};
using Listing = std::unique_ptr<DIR, CloseListing>;

std::vector<std::string> names_in(DIR* listing) {
  std::vector<std::string> names;
  rewinddir(listing);
  while (dirent* entry = readdir(listing)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

class Removal {
 public:
  explicit Removal(std::string path) : path_(std::move(path)) {}

  Result<void> run() {
    const std::string whole = path_;
    remove(AT_FDCWD, whole.c_str(), 0);
    if (first_error_) return fail(std::move(*first_error_));
    return {};
  }

 private:
  void note(std::string_view what) {
    if (!first_error_) first_error_ = errno_error(errno, std::string(what) + " " + path_);
  }

  void remove(int parent, const char* name, int depth) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return;
    if (errno != EISDIR && errno != EPERM && errno != EACCES) return note("cannot remove");
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return;
    if (depth == kDeepest && move_up(parent, name)) return;
    UniqueFd directory = open_permitted(parent, name);
    if (!directory) return note("cannot remove");
    empty(std::move(directory), depth);
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0) note("cannot remove");
  }

  // Of a link that has taken its place meanwhile, nothing is changed.
  UniqueFd open_permitted(int parent, const char* name) {
    UniqueFd directory(openat(parent, name, kOpenDirectory));
    if (!directory && errno == EACCES && fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
      directory = UniqueFd(openat(parent, name, kOpenDirectory));
    struct stat st;
    if (directory && fstat(directory.get(), &st) == 0 && (st.st_mode & 0700) != 0700) fchmod(directory.get(), 0700);
    return directory;
  }

  void empty(UniqueFd directory, int depth) {
    Listing listing(fdopendir(directory.get()));
    if (!listing) return note("cannot list");
    directory.release();
    if (depth == 0) top_ = dirfd(listing.get());
    do {
      has_moved_ = has_moved_ && depth > 0;
      for (const auto& name : names_in(listing.get())) {
        const size_t length = path_.size();
        path_ += '/';
        path_ += name;
        remove(dirfd(listing.get()), name.c_str(), depth + 1);
        path_.resize(length);
      }
    } while (depth == 0 && has_moved_);
  }

  // What lies too deep becomes an entry of the top, which is looked at again.
  bool move_up(int parent, const char* name) {
    const std::string there = "deep-" + std::to_string(getpid()) + "-" + std::to_string(moves_++);
    // A directory that moves has its "..", and so itself, written to.
    const bool moved =
        renameat(parent, name, top_, there.c_str()) == 0 ||
        (errno == EACCES && open_permitted(parent, name) && renameat(parent, name, top_, there.c_str()) == 0);
    has_moved_ = has_moved_ || moved;
    return moved;
  }

  std::string path_;
  std::optional<Error> first_error_;
  int top_ = -1;
  int moves_ = 0;
  bool has_moved_ = false;
};

}  // namespace

Result<void> remove_tree(const std::string& path) { return Removal(path).run(); }

}  // namespace plz
