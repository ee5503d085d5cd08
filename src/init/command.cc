#include "init/command.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "init/attributes.h"
#include "init/contract.h"
#include "init/file.h"
#include "init/message.h"

namespace plz::init {
namespace {

// A job is to be killed for lack of memory before plz-init, the worker and the person's desktop are.
constexpr int kOomScoreAdjustment = 200;
constexpr char kDefaultPath[] = "/usr/local/bin:/usr/bin:/bin";

// What the child sends before it ends, if it cannot execute the command; before that, ended by a NUL, which attributes
// it could not take.
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
  if (!fd || is_configured) return;
  const int wanted = spec.attributes.oom_score ? atoi(spec.attributes.oom_score) : 0;
  const std::string score = std::to_string(std::max(kOomScoreAdjustment, wanted));
  write_all(fd.get(), score.data(), score.size());
}

bool connect_streams() {
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(kStdoutFd, STDOUT_FILENO) >= 0 &&
         dup2(kStdoutFd, STDERR_FILENO) >= 0;
}

// As execvpe(3), but with the PATH of the environment that is handed over. What it needs is made ready before the
// job's limits hold: those may leave no memory.
class Execution {
 public:
  explicit Execution(const Spec& spec);
  // Returns only when it fails, with errno.
  void begin();

 private:
  void execute(const std::string& path);

  const Spec& spec_;
  const bool by_name_;
  const std::vector<std::string> places_;
  std::vector<char*> script_arguments_;
};

std::vector<std::string> places_in_path(const Spec& spec) {
  std::vector<std::string> places;
  std::string_view path = path_of(spec);
  for (size_t at = 0; at <= path.size() && *spec.command[0];) {
    size_t end = std::min(path.find(':', at), path.size());
    std::string& place = places.emplace_back(path.substr(at, end - at));
    place += place.empty() ? "./" : "/";
    place += spec.command[0];
    at = end + 1;
  }
  return places;
}

Execution::Execution(const Spec& spec)
    : spec_(spec),
      by_name_(!strchr(spec.command[0], '/')),
      places_(by_name_ ? places_in_path(spec) : std::vector<std::string>{spec.command[0]}),
      script_arguments_{const_cast<char*>("sh"), nullptr} {
  script_arguments_.insert(script_arguments_.end(), spec.command.begin() + 1, spec.command.end());
}

void Execution::execute(const std::string& path) {
  execve(path.c_str(), spec_.command.data(), spec_.environment.data());
  if (errno != ENOEXEC) return;
  script_arguments_[1] = const_cast<char*>(path.c_str());
  execve("/bin/sh", script_arguments_.data(), spec_.environment.data());
}

// What is found and may not be executed is better news than what is not found.
void Execution::begin() {
  int error = ENOENT;
  for (const std::string& place : places_) {
    execute(place);
    if (!by_name_ || errno == EACCES || errno == ENOEXEC || errno == E2BIG) error = errno;
  }
  errno = error;
}

// For the parent, whatever becomes of the command.
void tell_not_given(int report, const std::string& not_given) {
  write_all(report, not_given.c_str(), not_given.size() + 1);
}

[[noreturn]] void run_child(const Spec& spec, int report) {
  Failure failure;
  setsid();
  reset_signals();
  if (!connect_streams() || (spec.user && !become(*spec.user))) {
    failure.error = errno;
    tell_not_given(report, "");
  } else {
    JobAttributes attributes(spec.attributes);
    attributes.give();
    tell_not_given(report, attributes.not_given());
    make_preferred_oom_victim(spec);
    Execution execution(spec);
    if (chdir(spec.directory) != 0) {
      failure = {errno, true};
    } else {
      attributes.give_limits();
      execution.begin();
      failure.error = errno;
    }
  }
  write_all(report, &failure, sizeof failure);
  _exit(127);
}

std::string read_to_end(int fd) {
  std::string text;
  char buffer[512];
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR);)
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
  return text;
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
  const std::string said = read_to_end(out.get());
  const size_t end = said.find('\0');
  if (end == said.npos || said.size() < end + 1 + sizeof(Failure))
    return {.pid = pid, .not_given = said.substr(0, end)};
  waitpid(pid, nullptr, 0);
  Failure failure;
  memcpy(&failure, said.data() + end + 1, sizeof failure);
  return not_started(spec, failure);
}

}  // namespace plz::init
