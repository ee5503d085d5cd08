#include "init/inner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>

#include "init/command.h"
#include "init/contract.h"
#include "init/family.h"
#include "init/log_copier.h"
#include "init/message.h"
#include "init/record.h"
#include "init/spec.h"

namespace plz::init {
namespace {

// A command that ends sooner has its start in the exit record, and saves a sync.
constexpr int kStartSyncMilliseconds = 20;
constexpr int kLogPollMilliseconds = 1;
constexpr int64_t kNever = INT64_MAX;

int64_t now_us() { return Moment::now().boottime_us; }

class Inner {
 public:
  int run();

 private:
  bool prepare();
  bool block_signals();
  void start();
  void follow();
  void take_signals();
  void take_control();
  void forward(const signalfd_siginfo& info);
  void reap();
  void act_on_deadlines();
  int milliseconds_to_next() const;
  void write_start_record();
  void write_exit_record();
  void outlast_log();

  Spec spec_;
  Fd signals_;
  Fd start_record_;  // open until it is synced
  ReservedRecord exit_record_;
  StartedCommand command_;
  Moment started_, ended_;
  int64_t oom_kills_before_ = 0;
  int64_t sync_start_at_ = kNever;
  int64_t kill_at_ = kNever;
  int wait_status_ = 0;
  rusage usage_{};
  bool ended_by_itself_ = false;
};

bool Inner::block_signals() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  // Ignored by the outer half, and inherited: ignored signals would not be queued.
  for (int number : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) signal(number, SIG_DFL);
  signals_.reset(signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC));
  return static_cast<bool>(signals_);
}

bool Inner::prepare() {
  for (int fd : {kLogFd, kDirectoryFd, kControlFd, kStdoutFd}) fcntl(fd, F_SETFD, FD_CLOEXEC);
  close(kProgramFd);
  prctl(PR_SET_NAME, "plz-init");
  // Keeps the job out of /proc/PID/fd, where the attempt's directory is.
  prctl(PR_SET_DUMPABLE, 0);
  if (!block_signals() || !load_spec(kDirectoryFd, spec_)) return false;
  if (!spec_.own_pid_namespace) prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (exit_record_.reserve(kDirectoryFd, kExitFile)) return true;
  complain_errno("cannot make room for", kExitFile);
  return false;
}

void Inner::start() {
  oom_kills_before_ = kernel_oom_kills();
  if (exists(kDirectoryFd, kStopFile)) {
    command_ = {.pid = -1, .status = 128 + SIGTERM, .reason = "stopped before it started"};
  } else {
    command_ = start_command(spec_);
  }
  started_ = Moment::now();
  if (command_.pid > 0) write_start_record();
}

void Inner::write_start_record() {
  std::string boot_id;
  read_whole(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot_id);
  if (!boot_id.empty() && boot_id.back() == '\n') boot_id.pop_back();
  RecordText record(kStartMagic);
  record.add(kKeyStartedRealtime, started_.realtime_us);
  record.add(kKeyStartedBoottime, started_.boottime_us);
  record.add(kKeyBootId, boot_id.c_str());
  std::string text = record.finish();
  start_record_.reset(openat(kDirectoryFd, kStartFile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!start_record_ || !write_all(start_record_.get(), text.data(), text.size()))
    complain_errno("cannot write", kStartFile);
  sync_start_at_ = now_us() + kStartSyncMilliseconds * 1000;
}

void Inner::reap() {
  int status;
  rusage usage;
  for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;) {
    if (pid != command_.pid) continue;
    ended_ = Moment::now();
    wait_status_ = status;
    usage_ = usage;
    ended_by_itself_ = true;
  }
}

// From outside only: in a namespace of its own the job could otherwise signal itself through us.
void Inner::forward(const signalfd_siginfo& info) {
  bool from_outside = !spec_.own_pid_namespace || info.ssi_pid == 0;
  if (from_outside) kill(-command_.pid, static_cast<int>(info.ssi_signo));
}

void Inner::take_signals() {
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    switch (info.ssi_signo) {
      case SIGHUP:
      case SIGINT:
      case SIGQUIT:
      case SIGTERM:
      case SIGUSR1:
      case SIGUSR2: forward(info); break;
      default: break;
    }
  }
  reap();
}

void Inner::take_control() {
  char byte;
  while (read(kControlFd, &byte, 1) == 1) {
  }
  std::string text;
  if (!read_whole(kDirectoryFd, kStopFile, text)) return;
  int64_t grace_ms = std::max(0LL, strtoll(text.c_str(), nullptr, 10));
  kill_at_ = std::min(kill_at_, now_us() + grace_ms * 1000);
  if (grace_ms > 0) kill(-command_.pid, SIGTERM);
}

void Inner::act_on_deadlines() {
  int64_t now = now_us();
  if (now >= sync_start_at_) {
    fdatasync(start_record_.get());
    start_record_.reset();
    sync_start_at_ = kNever;
  }
  if (now >= kill_at_) {
    kill_family(spec_, command_.pid);
    kill_at_ = kNever;
  }
}

int Inner::milliseconds_to_next() const {
  int64_t next = std::min(sync_start_at_, kill_at_);
  if (next == kNever) return -1;
  return static_cast<int>(std::clamp<int64_t>((next - now_us() + 999) / 1000, 0, 3'600'000));
}

// The runtime may have asked for the end before this process listened: hence the look at first.
void Inner::follow() {
  take_control();
  reap();
  while (!ended_by_itself_) {
    pollfd events[] = {{signals_.get(), POLLIN, 0}, {kControlFd, POLLIN, 0}};
    poll(events, 2, milliseconds_to_next());
    if (events[0].revents) take_signals();
    if (events[1].revents && !ended_by_itself_) take_control();
    if (!ended_by_itself_) act_on_deadlines();
  }
}

void Inner::write_exit_record() {
  RecordText record(kExitMagic);
  record.add(kKeyStartedRealtime, started_.realtime_us);
  record.add(kKeyStartedBoottime, started_.boottime_us);
  record.add(kKeyEndedRealtime, ended_.realtime_us);
  record.add(kKeyEndedBoottime, ended_.boottime_us);
  if (command_.pid < 0) {
    record.add(kKeyOutcome, "not_started");
    record.add(kKeyStatus, static_cast<int64_t>(command_.status));
    record.add(kKeyReason, command_.reason.c_str());
  } else if (WIFSIGNALED(wait_status_)) {
    record.add(kKeyOutcome, "signalled");
    record.add(kKeySignal, static_cast<int64_t>(WTERMSIG(wait_status_)));
    record.add(kKeyOomKills, kernel_oom_kills() - oom_kills_before_);
  } else {
    record.add(kKeyOutcome, "exited");
    record.add(kKeyStatus, static_cast<int64_t>(WEXITSTATUS(wait_status_)));
  }
  auto microseconds = [](const timeval& time) { return int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; };
  record.add(kKeyUserTime, microseconds(usage_.ru_utime));
  record.add(kKeySystemTime, microseconds(usage_.ru_stime));
  record.add(kKeyMaxRss, static_cast<int64_t>(usage_.ru_maxrss));
  exit_record_.write(record.finish());
}

// What is in the pipe would be gone with the last process that has it open. Where no outer half is left
// to take it out, this one does.
void Inner::outlast_log() {
  OuterLock lock;
  for (int waiting = 0; ioctl(kLogFd, FIONREAD, &waiting) == 0 && waiting > 0;) {
    if (lock.take(kDirectoryFd) == OuterLock::Attempted::taken) {
      LogFile log;
      if (log.open(kDirectoryFd))
        write_end_record(kDirectoryFd, copy_log(kLogFd, log, kDirectoryFd, lock, CopyUntil::empty));
      return;
    }
    poll(nullptr, 0, kLogPollMilliseconds);
  }
}

int Inner::run() {
  if (!prepare()) return 1;
  start();
  if (command_.pid > 0) follow();
  else ended_ = started_;
  end_family(spec_, command_.pid);
  write_exit_record();
  outlast_log();
  return 0;
}

}  // namespace

int run_inner() {
  // Nothing is to be unwound at the end: the process is the attempt.
  Inner inner;
  return inner.run();
}

}  // namespace plz::init
