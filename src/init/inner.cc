#include "init/inner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "init/command.h"
#include "init/contract.h"
#include "init/copy_tree.h"
#include "init/family.h"
#include "init/give_back.h"
#include "init/log_carrier.h"
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
  explicit Inner(bool in_container) : in_container_(in_container) {}
  int run();
  int run_container();

 private:
  bool prepare_container();
  bool prepare_code();
  void take_environment();
  void give_back();
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

  const bool in_container_;
  LogCarrier carrier_;  // in a container only, like these three
  ReservedRecord end_record_;
  std::string home_;
  std::string obstacle_;  // why the command cannot be started
  Spec spec_;
  Fd signals_;
  Fd start_record_;  // open until it is synced
  ReservedRecord exit_record_;
  StartedCommand command_;
  Moment started_, ended_;
  int64_t oom_kills_before_ = 0;
  std::optional<int64_t> cgroup_oom_kills_before_;
  bool given_back_ = true;
  int64_t sync_start_at_ = kNever;
  int64_t kill_at_ = kNever;
  bool was_asked_ = false;
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
  if (in_container_) cgroup_oom_kills_before_ = container_oom_kills();
  if (exists(kDirectoryFd, kStopFile)) {
    command_ = {.pid = -1, .status = 128 + SIGTERM, .reason = "stopped before it started"};
  } else if (!obstacle_.empty()) {
    command_ = {.pid = -1, .status = 126, .reason = obstacle_};
    std::string line = "plz: " + obstacle_ + "\n";
    write_all(kStdoutFd, line.data(), line.size());
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
  // Asked once more, about less time, the job is not signalled again.
  if (grace_ms > 0 && !std::exchange(was_asked_, true)) kill(-command_.pid, spec_.stop_signal);
}

void Inner::act_on_deadlines() {
  int64_t now = now_us();
  if (now >= sync_start_at_) {
    fdatasync(start_record_.get());
    start_record_.reset();
    sync_start_at_ = kNever;
  }
  if (now >= carrier_.next_try_us()) carrier_.carry();
  if (now >= kill_at_) {
    kill_family(spec_, command_.pid);
    kill_at_ = kNever;
  }
}

int Inner::milliseconds_to_next() const {
  int64_t next = std::min({sync_start_at_, kill_at_, carrier_.next_try_us()});
  if (next == kNever) return -1;
  return static_cast<int>(std::clamp<int64_t>((next - now_us() + 999) / 1000, 0, 3'600'000));
}

// The runtime may have asked for the end before this process listened: hence the look at first.
void Inner::follow() {
  take_control();
  reap();
  while (!ended_by_itself_) {
    pollfd events[] = {{signals_.get(), POLLIN, 0}, {kControlFd, POLLIN, 0}, {carrier_.poll_fd(), POLLIN, 0}};
    poll(events, 3, milliseconds_to_next());
    if (events[2].revents) carrier_.carry();
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
  if (!command_.not_given.empty()) record.add(kKeyNotGiven, command_.not_given.c_str());
  if (in_container_) {
    if (auto kills = container_oom_kills(); kills && cgroup_oom_kills_before_)
      record.add(kKeyCgroupOomKills, *kills - *cgroup_oom_kills_before_);
    record.add(kKeyGivenBack, int64_t{given_back_});
  }
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

bool Inner::prepare_code() {
  if (!spec_.code.source) return true;
  struct stat target;
  bool copied = copy_tree(spec_.code.source, spec_.code.target) && stat(spec_.code.target, &target) == 0;
  bool is_users = copied && (!spec_.user || spec_.user->uid == target.st_uid || spec_.user->uid == 0);
  return copied && (is_users || give_tree(spec_.code.target, spec_.user->uid, spec_.user->gid));
}

void Inner::take_environment() {
  spec_.environment.clear();
  for (char** variable = environ; *variable; ++variable)
    if (!spec_.set_home || strncmp(*variable, "HOME=", 5) != 0) spec_.environment.push_back(*variable);
  if (spec_.set_home) {
    home_ = "HOME=" + (spec_.user ? spec_.user->home : "/");
    spec_.environment.push_back(home_.data());
  }
  spec_.environment.push_back(nullptr);
}

bool Inner::prepare_container() {
  if (!end_record_.reserve(kDirectoryFd, kEndFile) || !carrier_.open(kDirectoryFd, kLogFd)) return false;
  if (spec_.wanted_user && !find_user(spec_.wanted_user, spec_.groups, spec_.user.emplace(), obstacle_)) return true;
  take_environment();
  if (!prepare_code()) obstacle_ = "the code cannot be copied into the container";
  return true;
}

// After the last process of the job: nothing changes the trees any more.
void Inner::give_back() {
  struct stat owner;
  if (fstat(kDirectoryFd, &owner) != 0) return;
  for (const char* path : spec_.give_back) given_back_ = give_tree(path, owner.st_uid, owner.st_gid) && given_back_;
}

int Inner::run_container() {
  if (!prepare() || !prepare_container()) return kExitFailed;
  start();
  if (command_.pid > 0) follow();
  else ended_ = started_;
  end_family(spec_, command_.pid);
  give_back();
  write_exit_record();
  RecordText end(kEndMagic);
  end.add(kKeyLogBytes, carrier_.finish());
  end_record_.write(end.finish(), /*sync=*/false);
  if (command_.pid < 0) return command_.status;
  return WIFSIGNALED(wait_status_) ? 128 + WTERMSIG(wait_status_) : WEXITSTATUS(wait_status_);
}

}  // namespace

// Nothing is to be unwound at the end: the process is the attempt.
int run_inner() {
  Inner inner(/*in_container=*/false);
  return inner.run();
}

int run_inner_in_container() {
  Inner inner(/*in_container=*/true);
  return inner.run_container();
}

}  // namespace plz::init
