#include "store/capture/open_root.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <climits>
#include <cstdlib>

#include "base/text.h"
#include "os/file.h"
#include "store/capture/capture_run.h"

namespace plz {

std::string_view special_kind(uint32_t mode) {
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISFIFO(mode)) return "a fifo";
  return "a device file";
}

namespace {

Result<void> look_at_root(WalkedTree& tree) {
  char resolved[PATH_MAX];
  struct stat st;
  if (!realpath(tree.root_path.c_str(), resolved) || fstat(tree.root_fd.get(), &st) != 0)
    return fail(unreadable_error(errno, tree.root_path));
  tree.real_root = resolved;
  tree.root_device = st.st_dev;
  tree.root_inode = st.st_ino;
  return {};
}

}  // namespace

Result<void> open_root(const std::string& root, WalkedTree& tree, bool may_be_link) {
  tree.root_path = root;
  tree.root_fd = UniqueFd(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | (may_be_link ? 0 : O_NOFOLLOW)));
  if (tree.root_fd) return look_at_root(tree);
  if (!may_be_link && (errno == ENOTDIR || errno == ELOOP))
    return fail(ErrorCode::not_found, printable(root) + " is no directory");
  if (errno == ENOENT)
    return fail(ErrorCode::not_found, "there is no file or directory " + printable(root), "check the path");
  if (errno != ENOTDIR) return fail(unreadable_error(errno, root));
  char resolved[PATH_MAX];
  if (!realpath(root.c_str(), resolved)) return fail(unreadable_error(errno, root));
  struct stat st;
  if (stat(resolved, &st) != 0) return fail(unreadable_error(errno, root));
  if (!S_ISREG(st.st_mode))
    return fail(ErrorCode::invalid, printable(root) + " is " + std::string(special_kind(st.st_mode)),
                "name a directory or a regular file");
  tree.single_name = base_name(resolved);
  tree.captured_name = base_name(root);
  PLZ_ASSIGN(tree.root_fd, open_file(parent_path(resolved), O_RDONLY | O_DIRECTORY));
  return {};
}

}  // namespace plz
