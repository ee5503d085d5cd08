#include "init/box.h"

#include <fcntl.h>
#include <linux/mount.h>
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

constexpr unsigned long kNosuid = 2, kNodev = 4, kNoexec = 8, kBind = 4096, kRecursive = 16384, kSlave = 1 << 19;
constexpr int kDetach = 2;

bool set_attributes(const std::string& path, uint64_t attributes, unsigned flags) {
  mount_attr attr{};
  attr.attr_set = attributes;
  return syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), flags, &attr, sizeof attr) == 0;
}

bool make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return true;
  if (errno != ENOENT) return false;
  return make_directory(path.substr(0, path.rfind('/'))) && mkdir(path.c_str(), 0755) == 0;
}

// What is mounted on must be there, and be of the same sort.
bool make_place(const std::string& path, bool directory) {
  if (directory) return make_directory(path);
  struct stat st;
  if (lstat(path.c_str(), &st) == 0) return true;
  if (!make_directory(path.substr(0, path.rfind('/')))) return false;
  return static_cast<bool>(Fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0444)));
}

bool bind(const char* source, const std::string& path, uint64_t attributes) {
  struct stat st;
  return stat(source, &st) == 0 && make_place(path, S_ISDIR(st.st_mode)) &&
         mount(source, path.c_str(), nullptr, kBind | kRecursive, nullptr) == 0 &&
         (attributes == 0 || set_attributes(path, attributes, AT_RECURSIVE));
}

// A source that has gone since it was listed, or that may not be seen, is no loss.
bool bind_if_there(const char* source, const std::string& path) {
  return bind(source, path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV) || errno == ENOENT || errno == EACCES;
}

bool hide(const std::string& path) {
  return make_directory(path) && mount("tmpfs", path.c_str(), "tmpfs", kNosuid | kNodev, "mode=755") == 0 &&
         set_attributes(path, MOUNT_ATTR_RDONLY, 0);
}

// Root's sysctls and interrupts are the machine's, in every namespace.
bool protect_kernel_settings(const std::string& proc) {
  for (const char* name : {"/sys", "/sysrq-trigger", "/irq", "/bus"})
    if (!bind_if_there((proc + name).c_str(), proc + name)) return false;
  return true;
}

bool mount_proc(const std::string& path) {
  return make_directory(path) && mount("proc", path.c_str(), "proc", kNosuid | kNodev | kNoexec, nullptr) == 0 &&
         protect_kernel_settings(path);
}

bool make_links(const std::string& dev) {
  static constexpr const char* kLinks[][2] = {{"/proc/self/fd", "/fd"},       {"/proc/self/fd/0", "/stdin"},
                                              {"/proc/self/fd/1", "/stdout"}, {"/proc/self/fd/2", "/stderr"},
                                              {"/proc/kcore", "/core"},       {"pts/ptmx", "/ptmx"}};
  for (const auto& [text, name] : kLinks)
    if (symlink(text, (dev + name).c_str()) != 0) return false;
  return true;
}

bool mount_devices(const std::string& path) {
  if (!make_directory(path) || mount("tmpfs", path.c_str(), "tmpfs", kNosuid | kNoexec, "mode=755") != 0) return false;
  for (const char* name : {"/null", "/zero", "/full", "/random", "/urandom", "/tty"})
    if (!bind((std::string("/dev") + name).c_str(), path + name, 0)) return false;
  std::string shm = path + "/shm", pts = path + "/pts";
  // chmod, because of the umask.
  return make_links(path) && mkdir(shm.c_str(), 01777) == 0 && chmod(shm.c_str(), 01777) == 0 && make_directory(pts) &&
         mount("devpts", pts.c_str(), "devpts", kNosuid | kNoexec, "newinstance,ptmxmode=0666,mode=620") == 0;
}

bool take_step(const BoxStep& step, const std::string& path) {
  switch (step.kind) {
    case BoxStepKind::link: return symlink(step.source, path.c_str()) == 0;
    case BoxStepKind::read: return bind(step.source, path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
    case BoxStepKind::read_try: return bind_if_there(step.source, path);
    case BoxStepKind::write: return bind(step.source, path, MOUNT_ATTR_NODEV);
    case BoxStepKind::device: return bind(step.source, path, 0);
    case BoxStepKind::hide: return hide(path);
    case BoxStepKind::proc: return mount_proc(path);
    case BoxStepKind::devices: return mount_devices(path);
  }
  return false;
}

bool build(const BoxSpec& box) {
  if (mount(nullptr, "/", nullptr, kSlave | kRecursive, nullptr) != 0 ||
      mount("tmpfs", box.root, "tmpfs", kNosuid | kNodev, "mode=755") != 0) {
    complain_errno("cannot mount the sandbox's root");
    return false;
  }
  for (const auto& step : box.steps) {
    if (take_step(step, std::string(box.root) + step.path)) continue;
    complain_errno("cannot make in the sandbox", step.path);
    return false;
  }
  return true;
}

// Stacks the new root over the old one and takes the old one away from under it: pivot_root(2).
bool move_into(const char* root) {
  return set_attributes(root, MOUNT_ATTR_RDONLY, 0) && chdir(root) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
         umount2(".", kDetach) == 0 && chdir("/") == 0;
}

std::string through_descriptor(const Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

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
  if (!build(box)) return false;
  if (move_into(box.root)) return true;
  complain_errno("cannot enter the sandbox's root");
  return false;
}

}  // namespace plz::init
