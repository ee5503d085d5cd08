#include "init/launcher.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "init/attributes.h"
#include "init/box.h"
#include "init/contract.h"
#include "init/copy_tree.h"
#include "init/inner.h"
#include "init/message.h"
#include "init/namespaces.h"

namespace plz::init {
namespace {

// What the child tells the parent over their channel; its end means: under way, or gone.
constexpr char kWantsIdMaps = 'm';
constexpr char kHasNoOverlay = 'o';

constexpr int kLaunchFailed = 1;
constexpr int kAboveFixedDescriptors = 20;

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

bool parent_maps_every_id(int channel) {
  char answer = 0;
  return send(channel, &kWantsIdMaps, 1, MSG_NOSIGNAL) == 1 && read(channel, &answer, 1) == 1 && answer == 'y';
}

[[noreturn]] void give_up(const char* what, const char* path = nullptr) {
  complain_errno(what, path);
  _exit(kLaunchFailed);
}

void leave_marker(int attempt_directory) {
  Fd marker(openat(attempt_directory, kLaunchMarker, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!marker) give_up("cannot write", kLaunchMarker);
}

[[noreturn]] void execute_program(const Spec& spec, const InnerDescriptors& descriptors, int attempt_directory) {
  leave_marker(attempt_directory);
  if (!place_descriptors(descriptors)) give_up("cannot hand over descriptors");
  char* const no_environment[] = {nullptr};
  execve(spec.launch[0], spec.launch.data(), no_environment);
  give_up("cannot execute", spec.launch[0]);
}

// The ids that the job is to have, as they were outside.
struct Person {
  uid_t uid;
  gid_t gid;
  bool is_root() const { return uid == 0; }
};

void take_ids(const Person& person, int channel) {
  bool mapped = person.is_root() ? parent_maps_every_id(channel) : map_person_to_root(person.uid, person.gid);
  if (!mapped) give_up("cannot map user ids");
}

void prepare_overlay(const CodeSpec& code, int channel) {
  if (mount_overlay(code)) return;
  complain_errno(kNoOverlayNote);
  send(channel, &kHasNoOverlay, 1, MSG_NOSIGNAL);
  _exit(kLaunchFailed);
}

void give_up_privileges(const Person& person) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up("cannot give up privileges");
  if (!(person.is_root() ? limit_capabilities() : become_the_person(person.uid, person.gid)))
    give_up("cannot give up capabilities");
}

// Goes on in this process: it is process 1 of the box.
[[noreturn]] void enter_and_become_inner(const Spec& spec, const InnerDescriptors& descriptors, int attempt_directory,
                                         Fd channel, bool overlay, const Person& person) {
  take_ids(person, channel.get());
  if (overlay) prepare_overlay(spec.code, channel.get());
  if (!spec.box.network && !bring_up_loopback()) give_up("cannot bring up the loopback");
  leave_marker(attempt_directory);
  if (!enter_box(spec.box)) _exit(kLaunchFailed);
  give_up_privileges(person);
  channel.reset();
  if (!place_descriptors(descriptors)) give_up("cannot hand over descriptors");
  syscall(SYS_close_range, static_cast<unsigned>(kProgramFd + 1), ~0u, 0u);
  _exit(run_inner());
}

// True when the child found that no overlay can be had.
bool serve_child(pid_t child, int channel) {
  char word;
  for (;;) {
    ssize_t n = read(channel, &word, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    if (word == kHasNoOverlay) return true;
    char answer = map_every_id(child) ? 'y' : 'n';
    send(channel, &answer, 1, MSG_NOSIGNAL);
  }
}

pid_t start_child(const Spec& spec, const InnerDescriptors& descriptors, int attempt_directory, bool overlay,
                  bool& lacks_overlay) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  Fd ours(ends[0]), theirs(ends[1]);
  Person person{geteuid(), getegid()};
  pid_t child = spec.box.root ? fork_into_namespaces(spec.box.network) : fork();
  if (child == 0) {
    ours.reset();
    if (!enter_cgroups(spec)) _exit(kLaunchFailed);
    if (!spec.box.root) execute_program(spec, descriptors, attempt_directory);
    enter_and_become_inner(spec, descriptors, attempt_directory, std::move(theirs), overlay, person);
  }
  if (child < 0) complain_errno(spec.box.root ? "cannot make namespaces" : "cannot start a process");
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

pid_t launch(const Spec& spec, InnerDescriptors descriptors, int attempt_directory, bool again) {
  raise_for_the_job(spec.attributes);
  bool overlay = spec.code.source && spec.code.upper && spec.box.root;
  bool copy = spec.code.source && !overlay && !again;
  for (;;) {
    if (copy && !copy_tree(spec.code.source, spec.code.target)) return -1;
    bool lacks_overlay = false;
    pid_t child = start_child(spec, descriptors, attempt_directory, overlay, lacks_overlay);
    if (!lacks_overlay) return child;
    waitpid(child, nullptr, 0);
    overlay = false;
    copy = true;
  }
}

}  // namespace plz::init
