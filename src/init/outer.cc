#include "init/outer.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <vector>

#include "init/contract.h"
#include "init/launcher.h"
#include "init/log_copier.h"
#include "init/message.h"
#include "init/outer_lock.h"
#include "init/record.h"
#include "init/spec.h"

namespace plz::init {
namespace {

constexpr int kPipeBytes = 1 << 20;
constexpr int kReapMilliseconds = 2000;
constexpr int kMostLaunches = 4;
constexpr int kLaunchPauseMilliseconds = 20;

// Whatever the worker has open by mistake must not live as long as the job.
void close_inherited() {
  if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0) return;
  // Linux before 5.9.
  std::vector<int> open;
  DIR* listing = opendir("/proc/self/fd");
  while (dirent* entry = listing ? readdir(listing) : nullptr)
    if (int fd = atoi(entry->d_name); fd > STDERR_FILENO && fd != dirfd(listing)) open.push_back(fd);
  if (listing) closedir(listing);
  for (int fd : open) close(fd);
}

// A shutdown or a logout asks every process to end: this one ends when the job has, so that the last
// lines are kept.
void outlast_signals() {
  for (int number : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) signal(number, SIG_IGN);
}

bool make_pipe(int directory, const char* name) {
  if (mkfifoat(directory, name, 0600) == 0 || errno == EEXIST) return true;
  complain_errno("cannot make", name);
  return false;
}

// Whether a process has the pipe open for writing. tee(2) looks without taking.
bool has_writer(int pipe) {
  int scratch[2];
  if (pipe2(scratch, O_CLOEXEC) != 0) return true;
  Fd out(scratch[0]), in(scratch[1]);
  return tee(pipe, in.get(), 1, SPLICE_F_NONBLOCK) != 0;
}

bool was_launched(int directory, int pipe) { return exists(directory, kLaunchMarker) || has_writer(pipe); }

// Blocks until the sandbox is up; when it cannot be, the log simply ends at once.
pid_t launch_attempt(const Spec& spec, int directory, int pipe, bool again) {
  InnerDescriptors descriptors;
  if (!descriptors.open_all(directory)) return -1;
  // The default is 64 KiB; a user who has many pipes may not have more.
  fcntl(pipe, F_SETPIPE_SZ, kPipeBytes);
  return launch(spec, std::move(descriptors), directory, again);
}

// The sandbox program ends just after the inner half; with it go the mounts. Where a process is stuck
// in the kernel, nobody is to wait for that.
void reap(pid_t child) {
  Fd handle(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  pollfd ended{handle.get(), POLLIN, 0};
  poll(&ended, 1, kReapMilliseconds);
  waitpid(child, nullptr, WNOHANG);
}

// Whoever started this process waits for it, on what is its stdout.
void say_in_hand() {
  if (write(STDOUT_FILENO, &kInHand, 1) < 0 && errno != EPIPE) complain_errno("cannot answer");
  dup2(STDIN_FILENO, STDOUT_FILENO);
}

// The inner half makes room for the exit record before it starts the command: without that the command never ran.
bool may_launch_again(int directory) { return !exists(directory, kExitFile) && !exists(directory, kStopFile); }

// So that the attempt is as it was before; what the sandbox program complained of is told only of its last try.
void forget_launch(int directory) {
  unlinkat(directory, kLaunchMarker, 0);
  if (ftruncate(STDERR_FILENO, 0) != 0) complain_errno("cannot shorten", kErrorFile);
}

// Of an attempt that was being launched when an outer half died: the child held the pipe, lacked the parent that it
// makes the sandbox with, and ended before it had anything to execute.
bool never_began(int directory) { return !exists(directory, kLaunchMarker) && !exists(directory, kExitFile); }

bool begin_anew(int directory, LogFile& log) {
  forget_launch(directory);
  if (log.open(directory)) return true;
  complain_errno("cannot open the log");
  return false;
}

// The sandbox program binds what is mounted on the host mount by mount, and ends when one goes meanwhile, as
// those of containers do: it is tried again. What plz-init makes itself is bound in one call.
int64_t launch_and_carry(int directory, int pipe, LogFile& log, OuterLock& lock, pid_t& child) {
  Spec spec;
  if (!load_spec(directory, spec)) return copy_log(pipe, log, directory, lock, CopyUntil::closed);
  for (int launches = 1;; ++launches) {
    child = launch_attempt(spec, directory, pipe, launches > 1);
    const int64_t bytes = copy_log(pipe, log, directory, lock, CopyUntil::closed);
    if (child < 0 || spec.box.root || launches == kMostLaunches || !may_launch_again(directory)) return bytes;
    reap(child);
    poll(nullptr, 0, kLaunchPauseMilliseconds);
    if (!begin_anew(directory, log)) return bytes;
  }
}

int carry(int directory, OuterLock& lock) {
  // First of all: who hears that the attempt is in hand relies on us until the end record is there, and
  // then may remove everything.
  if (record_is_complete(directory, kEndFile)) return kExitDone;
  say_in_hand();
  if (!make_pipe(directory, kLogPipe) || !make_pipe(directory, kControlPipe)) return kExitFailed;
  LogFile log;
  Fd pipe(openat(directory, kLogPipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!pipe || !log.open(directory)) {
    complain_errno("cannot open the log");
    return kExitFailed;
  }
  pid_t child = -1;
  int64_t bytes = 0;
  const bool in_another_hand = was_launched(directory, pipe.get());
  if (in_another_hand) bytes = copy_log(pipe.get(), log, directory, lock, CopyUntil::closed);
  if (!in_another_hand || (never_began(directory) && begin_anew(directory, log)))
    bytes = launch_and_carry(directory, pipe.get(), log, lock, child);
  write_end_record(directory, bytes);
  if (child > 0) reap(child);
  return kExitDone;
}

}  // namespace

int run_outer(const char* attempt_directory) {
  close_inherited();
  outlast_signals();
  Fd directory(open(attempt_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) {
    complain_errno("cannot open", attempt_directory);
    return kExitFailed;
  }
  OuterLock lock;
  switch (lock.take(directory.get())) {
    case OuterLock::Attempted::taken: return carry(directory.get(), lock);
    case OuterLock::Attempted::busy: return kExitBusy;
    case OuterLock::Attempted::failed: break;
  }
  return kExitFailed;
}

}  // namespace plz::init
