#include "init/launcher.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "init/contract.h"
#include "init/copy_tree.h"
#include "init/message.h"
#include "init/namespaces.h"

namespace plz::init {
namespace {

// What the child tells the parent over their channel; its end means: executed, or gone.
constexpr char kWantsIdMaps = 'm';
constexpr char kHasNoOverlay = 'o';

constexpr int kLaunchFailed = 1;
constexpr int kAboveFixedDescriptors = 20;

bool ask_for_id_maps(int channel) {
  char answer = 0;
  return send(channel, &kWantsIdMaps, 1, MSG_NOSIGNAL) == 1 && read(channel, &answer, 1) == 1 &&
         answer == 'y';
}

bool enter_cgroups(const Spec& spec) {
  for (const char* path : spec.cgroups) {
    Fd procs(open(path, O_WRONLY | O_CLOEXEC));
    if (procs && write_all(procs.get(), "0", 1)) continue;
    complain_errno("cannot enter the cgroup", path);
    return false;
  }
  return true;
}

bool place_descriptors(const InnerDescriptors& descriptors) {
  const int sources[] = {descriptors.log.get(), descriptors.directory.get(), descriptors.control.get(),
                         descriptors.job_stdout.get(), descriptors.program.get()};
  const int targets[] = {kLogFd, kDirectoryFd, kControlFd, kStdoutFd, kProgramFd};
  for (size_t i = 0; i < std::size(sources); ++i)
    if (dup2(sources[i], targets[i]) < 0) return false;
  return true;
}

[[noreturn]] void run_child(const Spec& spec, const InnerDescriptors& descriptors, int attempt_directory,
                            int channel, bool overlay) {
  if (!enter_cgroups(spec)) _exit(kLaunchFailed);
  if (overlay && !(enter_namespaces(ask_for_id_maps, channel) && mount_overlay(spec.code))) {
    complain_errno(kNoOverlayNote);
    send(channel, &kHasNoOverlay, 1, MSG_NOSIGNAL);
    _exit(kLaunchFailed);
  }
  Fd marker(openat(attempt_directory, kLaunchMarker, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!marker || !place_descriptors(descriptors)) {
    complain_errno("cannot prepare the launch");
    _exit(kLaunchFailed);
  }
  char* const no_environment[] = {nullptr};
  execve(spec.launch[0], spec.launch.data(), no_environment);
  complain_errno("cannot execute", spec.launch[0]);
  _exit(kLaunchFailed);
}

// True when the child found that no overlay can be had.
bool serve_child(pid_t child, int channel) {
  char word;
  for (;;) {
    ssize_t n = read(channel, &word, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    if (word == kHasNoOverlay) return true;
    char answer = write_root_id_maps(child) ? 'y' : 'n';
    send(channel, &answer, 1, MSG_NOSIGNAL);
  }
}

pid_t start_child(const Spec& spec, const InnerDescriptors& descriptors, int attempt_directory,
                  bool overlay, bool& lacks_overlay) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  Fd ours(ends[0]), theirs(ends[1]);
  pid_t child = fork();
  if (child == 0) {
    ours.reset();
    run_child(spec, descriptors, attempt_directory, theirs.get(), overlay);
  }
  theirs.reset();
  lacks_overlay = child > 0 && serve_child(child, ours.get());
  return child;
}

// A descriptor that dup2 onto the fixed ones cannot hit.
Fd open_high(int directory, const char* name, int flags) {
  Fd fd(openat(directory, name, flags | O_CLOEXEC));
  if (!fd) complain_errno("cannot open", name);
  return fd ? Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, kAboveFixedDescriptors)) : Fd();
}

}  // namespace

bool InnerDescriptors::open_all(int attempt_directory) {
  log = open_high(attempt_directory, kLogPipe, O_RDWR);
  directory = open_high(attempt_directory, ".", O_RDONLY | O_DIRECTORY);
  control = open_high(attempt_directory, kControlPipe, O_RDWR | O_NONBLOCK);
  job_stdout = open_high(attempt_directory, kLogPipe, O_WRONLY);
  program = open_high(AT_FDCWD, "/proc/self/exe", O_RDONLY);
  return log && directory && control && job_stdout && program;
}

pid_t launch(const Spec& spec, InnerDescriptors descriptors, int attempt_directory) {
  bool overlay = spec.code.source && spec.code.upper;
  bool copy = spec.code.source && !overlay;
  for (;;) {
    if (copy && !copy_tree(spec.code.source, spec.code.target)) return -1;
    bool lacks_overlay = false;
    pid_t child = start_child(spec, descriptors, attempt_directory, overlay, lacks_overlay);
    if (child < 0) complain_errno("cannot start a process");
    if (!lacks_overlay) return child;
    waitpid(child, nullptr, 0);
    overlay = false;
    copy = true;
  }
}

}  // namespace plz::init
