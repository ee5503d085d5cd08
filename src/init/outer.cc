#include "init/outer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

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

// Whatever the worker has open by mistake must not live as long as the job.
void close_inherited() {
  if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0) return;
  for (int fd = 3; fd < 1024; ++fd) close(fd);  // Linux before 5.9
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
pid_t launch_attempt(int directory, int pipe) {
  Spec spec;
  InnerDescriptors descriptors;
  if (!load_spec(directory, spec) || !descriptors.open_all(directory)) return -1;
  // The default is 64 KiB; a user who has many pipes may not have more.
  fcntl(pipe, F_SETPIPE_SZ, kPipeBytes);
  return launch(spec, std::move(descriptors), directory);
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
  pid_t child = was_launched(directory, pipe.get()) ? -1 : launch_attempt(directory, pipe.get());
  write_end_record(directory, copy_log(pipe.get(), log, directory, lock, CopyUntil::closed));
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
