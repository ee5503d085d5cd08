#include "init/box.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "init/file.h"
#include "init/message.h"

// <sys/mount.h> and <linux/mount.h> of Debian 12 cannot both be included.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
extern "C" int umount2(const char*, int) noexcept;

namespace plz::init {
namespace {

constexpr unsigned long kReadOnly = 1, kNosuid = 2, kNodev = 4, kNoexec = 8, kRecursive = 16384, kSlave = 1 << 19;
constexpr int kDetach = 2;
constexpr unsigned kCloneTree = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
constexpr int kPlaceFlags = O_PATH | O_CLOEXEC;

std::string through_descriptor(const Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

bool set_attributes(int fd, uint64_t attributes, unsigned flags) {
  mount_attr attr{};
  attr.attr_set = attributes;
  return syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr) == 0;
}

bool mount_at(const Fd& place, const char* type, unsigned long flags, const char* options) {
  return mount(type, through_descriptor(place).c_str(), type, flags, options) == 0;
}

// The new root while it is built. A part of it may be a directory that other jobs write, their cache: a path is
// followed as the job will see it, so that no link leads to where it would lead outside.
class NewRoot {
 public:
  explicit NewRoot(const char* path) : path_(path), root_(open(path, kPlaceFlags | O_DIRECTORY)) {}
  explicit operator bool() const { return static_cast<bool>(root_); }

  bool take(const BoxStep& step) const;
  bool enter() const;

 private:
  Fd find(const std::string& path, uint64_t flags) const;
  Fd directory(const std::string& path) const;
  bool attach(const Fd& tree, int parent, const std::string& path, bool directory) const;
  bool bind_in(int parent, const char* source, const std::string& path, uint64_t attributes) const;
  bool bind(const char* source, const std::string& path, uint64_t attributes) const;
  bool bind_if_there(const char* source, const std::string& path) const;
  bool link(const char* text, const std::string& path) const;
  bool hide(const std::string& path) const;
  bool protect_kernel_settings(const std::string& proc) const;
  bool mount_proc(const std::string& path) const;
  bool mount_devices(const std::string& path) const;

  const std::string path_;
  const Fd root_;
};

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
const char* name_of(const std::string& path) { return path.c_str() + path.rfind('/') + 1; }

// EAGAIN: something was renamed meanwhile.
Fd NewRoot::find(const std::string& path, uint64_t flags) const {
  open_how how{};
  how.flags = kPlaceFlags | flags;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0;; ++tries) {
    Fd found(static_cast<int>(syscall(SYS_openat2, root_.get(), path.empty() ? "/" : path.c_str(), &how, sizeof how)));
    if (found || errno != EAGAIN || tries == 100) return found;
  }
}

// Made where it is not there.
Fd NewRoot::directory(const std::string& path) const {
  Fd found = find(path, O_DIRECTORY);
  if (found || errno != ENOENT) return found;
  Fd parent = directory(parent_of(path));
  if (!parent || (mkdirat(parent.get(), name_of(path), 0755) != 0 && errno != EEXIST)) return Fd();
  return Fd(openat(parent.get(), name_of(path), kPlaceFlags | O_DIRECTORY | O_NOFOLLOW));
}

bool make_place(int parent, const char* name, bool directory) {
  if (directory) return mkdirat(parent, name, 0755) == 0;
  return static_cast<bool>(Fd(openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444)));
}

// At `path`, whose directory is `parent`. A place that was just made is what it is; one that was there may be a link.
bool NewRoot::attach(const Fd& tree, int parent, const std::string& path, bool directory) const {
  if (make_place(parent, name_of(path), directory))
    return syscall(SYS_move_mount, tree.get(), "", parent, name_of(path), MOVE_MOUNT_F_EMPTY_PATH) == 0;
  if (errno != EEXIST) return false;
  Fd place = find(path, 0);
  return place && syscall(SYS_move_mount, tree.get(), "", place.get(), "",
                          MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
}

// The attributes are set before anything can be reached by the new name.
bool NewRoot::bind_in(int parent, const char* source, const std::string& path, uint64_t attributes) const {
  Fd tree(static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, source, kCloneTree)));
  struct stat st;
  return tree && fstat(tree.get(), &st) == 0 &&
         (attributes == 0 || set_attributes(tree.get(), attributes, AT_RECURSIVE)) &&
         attach(tree, parent, path, S_ISDIR(st.st_mode));
}

bool NewRoot::bind(const char* source, const std::string& path, uint64_t attributes) const {
  const std::string above = parent_of(path);
  if (above.empty()) return bind_in(root_.get(), source, path, attributes);
  struct stat st;
  if (stat(source, &st) != 0) return false;  // no directories for nothing
  Fd parent = directory(above);
  return parent && bind_in(parent.get(), source, path, attributes);
}

// A source that has gone since it was listed, or that may not be seen, is no loss.
bool NewRoot::bind_if_there(const char* source, const std::string& path) const {
  return bind(source, path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV) || errno == ENOENT || errno == EACCES;
}

bool NewRoot::link(const char* text, const std::string& path) const {
  Fd parent = find(parent_of(path), O_DIRECTORY);
  return parent && symlinkat(text, parent.get(), name_of(path)) == 0;
}

bool NewRoot::hide(const std::string& path) const {
  Fd place = directory(path);
  return place && mount_at(place, "tmpfs", kReadOnly | kNosuid | kNodev, "mode=755");
}

// Root's sysctls and interrupts are the machine's, in every namespace.
bool NewRoot::protect_kernel_settings(const std::string& proc) const {
  for (const char* name : {"/sys", "/sysrq-trigger", "/irq", "/bus"})
    if (!bind_if_there((path_ + proc + name).c_str(), proc + name)) return false;
  return true;
}

bool NewRoot::mount_proc(const std::string& path) const {
  Fd place = directory(path);
  return place && mount_at(place, "proc", kNosuid | kNodev | kNoexec, nullptr) && protect_kernel_settings(path);
}

bool make_device_links(int dev) {
  static constexpr const char* kLinks[][2] = {{"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
                                              {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
                                              {"/proc/kcore", "core"},       {"pts/ptmx", "ptmx"}};
  for (const auto& [text, name] : kLinks)
    if (symlinkat(text, dev, name) != 0) return false;
  return true;
}

bool NewRoot::mount_devices(const std::string& path) const {
  Fd place = directory(path);
  if (!place || !mount_at(place, "tmpfs", kNosuid | kNoexec, "mode=755")) return false;
  Fd dev = find(path, O_DIRECTORY);
  if (!dev || !make_device_links(dev.get())) return false;
  for (const char* name : {"/null", "/zero", "/full", "/random", "/urandom", "/tty"})
    if (!bind_in(dev.get(), (std::string("/dev") + name).c_str(), path + name, 0)) return false;
  if (mkdirat(dev.get(), "shm", 01777) != 0 || fchmodat(dev.get(), "shm", 01777, 0) != 0) return false;
  if (mkdirat(dev.get(), "pts", 0755) != 0) return false;
  Fd pts(openat(dev.get(), "pts", kPlaceFlags | O_DIRECTORY | O_NOFOLLOW));
  return pts && mount_at(pts, "devpts", kNosuid | kNoexec, "newinstance,ptmxmode=0666,mode=620");
}

bool NewRoot::take(const BoxStep& step) const {
  switch (step.kind) {
    case BoxStepKind::link: return link(step.source, step.path);
    case BoxStepKind::read: return bind(step.source, step.path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
    case BoxStepKind::read_try: return bind_if_there(step.source, step.path);
    case BoxStepKind::write: return bind(step.source, step.path, MOUNT_ATTR_NODEV);
    case BoxStepKind::device: return bind(step.source, step.path, 0);
    case BoxStepKind::hide: return hide(step.path);
    case BoxStepKind::proc: return mount_proc(step.path);
    case BoxStepKind::devices: return mount_devices(step.path);
  }
  return false;
}

// Stacks the new root over the old one and takes the old one away from under it: pivot_root(2).
bool NewRoot::enter() const {
  return set_attributes(root_.get(), MOUNT_ATTR_RDONLY, 0) && fchdir(root_.get()) == 0 &&
         syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", kDetach) == 0 && chdir("/") == 0;
}

}  // namespace

bool mount_overlay(const CodeSpec& code) {
  // Named by descriptor: an overlay's options know commas and colons, and end at 4096 bytes.
  Fd lower(open(code.source, O_PATH | O_DIRECTORY | O_CLOEXEC));
  Fd upper(open(code.upper, O_PATH | O_DIRECTORY | O_CLOEXEC));
  Fd work(open(code.work, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!lower || !upper || !work) return false;
  std::string options = "lowerdir=" + through_descriptor(lower) + ",upperdir=" + through_descriptor(upper) +
                        ",workdir=" + through_descriptor(work) + ",userxattr";
  // Without `volatile` (Linux 5.10) the end of the job would sync the whole file system below.
  if (mount("plz-code", code.target, "overlay", 0, (options + ",volatile").c_str()) == 0) return true;
  return errno == EINVAL && mount("plz-code", code.target, "overlay", 0, options.c_str()) == 0;
}

bool enter_box(const BoxSpec& box) {
  if (mount(nullptr, "/", nullptr, kSlave | kRecursive, nullptr) != 0 ||
      mount("tmpfs", box.root, "tmpfs", kNosuid | kNodev, "mode=755") != 0) {
    complain_errno("cannot mount the sandbox's root");
    return false;
  }
  NewRoot root(box.root);
  if (!root) {
    complain_errno("cannot open the sandbox's root");
    return false;
  }
  for (const auto& step : box.steps) {
    if (root.take(step)) continue;
    complain_errno("cannot make in the sandbox", step.path);
    return false;
  }
  if (root.enter()) return true;
  complain_errno("cannot enter the sandbox's root");
  return false;
}

}  // namespace plz::init
