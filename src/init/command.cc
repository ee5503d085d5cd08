#include "init/command.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "init/contract.h"
#include "init/file.h"
#include "init/message.h"

namespace plz::init {
namespace {

// A job is to be killed for lack of memory before plz-init, the worker and the person's desktop are.
constexpr char kOomScoreAdjustment[] = "200";
constexpr char kDefaultPath[] = "/usr/local/bin:/usr/bin:/bin";

// What the child sends before it ends, if it cannot execute the command.
struct Failure {
  int error = 0;
  bool directory = false;  // it was the working directory that failed
};

const char* path_of(const Spec& spec) {
  for (const char* variable : spec.environment)
    if (variable && strncmp(variable, "PATH=", 5) == 0) return variable + 5;
  return kDefaultPath;
}

// By the system call: the C library refuses its own two signals, which posix_spawn leaves ignored.
void reset_signals() {
  constexpr unsigned long kDefaultAction[4] = {};
  constexpr size_t kMaskBytes = 8;
  for (int number = 1; number <= 64; ++number) syscall(SYS_rt_sigaction, number, kDefaultAction, nullptr, kMaskBytes);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void make_preferred_oom_victim(const Spec& spec) {
  // /proc/self belongs to root while a process is not dumpable; the execution to come makes it
  // dumpable anyway.
  prctl(PR_SET_DUMPABLE, 1);
  Fd fd(open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC));
  char now[8] = {};
  // Another than 0 was configured for the container.
  bool is_configured = spec.is_container && fd && read(fd.get(), now, sizeof now - 1) > 0 && atoi(now) != 0;
  if (fd && !is_configured) write_all(fd.get(), kOomScoreAdjustment, strlen(kOomScoreAdjustment));
}

bool connect_streams() {
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(kStdoutFd, STDOUT_FILENO) >= 0 &&
         dup2(kStdoutFd, STDERR_FILENO) >= 0;
}

// Returns only when it fails, with errno.
void execute(const char* path, const Spec& spec) {
  execve(path, spec.command.data(), spec.environment.data());
  if (errno != ENOEXEC) return;
  std::vector<char*> arguments = {const_cast<char*>("sh"), const_cast<char*>(path)};
  arguments.insert(arguments.end(), spec.command.begin() + 1, spec.command.end());
  execve("/bin/sh", arguments.data(), spec.environment.data());
}

// As execvpe(3), but with the PATH of the environment that is handed over. What is found and may not
// be executed is better news than what is not found.
void execute_by_name(const Spec& spec) {
  std::string_view name = spec.command[0];
  if (name.find('/') != name.npos) return execute(spec.command[0], spec);
  int error = ENOENT;
  std::string_view path = path_of(spec);
  for (size_t at = 0; at <= path.size() && !name.empty();) {
    size_t end = std::min(path.find(':', at), path.size());
    std::string candidate(path.substr(at, end - at));
    candidate += candidate.empty() ? "./" : "/";
    execute((candidate.append(name)).c_str(), spec);
    if (errno == EACCES || errno == ENOEXEC || errno == E2BIG) error = errno;
    at = end + 1;
  }
  errno = error;
}

[[noreturn]] void run_child(const Spec& spec, int report) {
  Failure failure;
  setsid();
  reset_signals();
  umask(022);
  if (!connect_streams() || (spec.user && !become(*spec.user))) {
    failure.error = errno;
  } else if (chdir(spec.directory) != 0) {
    failure = {errno, true};
  } else {
    make_preferred_oom_victim(spec);
    execute_by_name(spec);
    failure.error = errno;
  }
  write_all(report, &failure, sizeof failure);
  _exit(127);
}

StartedCommand not_started(const Spec& spec, const Failure& failure) {
  StartedCommand result;
  bool by_name = !strchr(spec.command[0], '/');
  result.status = failure.error == ENOENT && !failure.directory ? 127 : 126;
  result.reason = std::string(failure.directory ? spec.directory : spec.command[0]) + ": ";
  result.reason += result.status == 127 && by_name ? "command not found" : strerror(failure.error);
  std::string line = "plz: " + result.reason + "\n";
  write_all(kStdoutFd, line.data(), line.size());
  return result;
}

}  // namespace

StartedCommand start_command(const Spec& spec) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return not_started(spec, {errno, false});
  Fd out(ends[0]), in(ends[1]);
  pid_t pid = fork();
  if (pid < 0) return not_started(spec, {errno, false});
  if (pid == 0) run_child(spec, in.get());
  in.reset();
  Failure failure;
  ssize_t n;
  while ((n = read(out.get(), &failure, sizeof failure)) < 0 && errno == EINTR) {
  }
  if (n == 0) return {.pid = pid};
  waitpid(pid, nullptr, 0);
  return not_started(spec, failure);
}

}  // namespace plz::init
