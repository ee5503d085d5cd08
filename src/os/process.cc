#include "os/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/text.h"

namespace plz {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

class FileActions {
 public:
  explicit FileActions(const std::string& directory) {
    posix_spawn_file_actions_init(&actions_);
    if (!directory.empty()) posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  void connect(int target, int fd) {
    if (fd >= 0) posix_spawn_file_actions_adddup2(&actions_, fd, target);
    else posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", O_RDWR, 0);
  }
  // Glibc looks into /proc/self/fd where the kernel has no close_range (before 5.9).
  void close_from(int fd) { posix_spawn_file_actions_addclosefrom_np(&actions_, fd); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  explicit Attributes(bool new_session) {
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (new_session) flags |= POSIX_SPAWN_SETSID;
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  posix_spawnattr_t* get() { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

bool is_executable_file(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

Result<pid_t> spawn(const SpawnOptions& options) {
  FileActions actions(options.directory);
  actions.connect(STDIN_FILENO, options.stdin_fd);
  actions.connect(STDOUT_FILENO, options.stdout_fd);
  actions.connect(STDERR_FILENO, options.stderr_fd);
  if (options.fourth_fd >= 0) actions.connect(3, options.fourth_fd);
  actions.close_from(options.fourth_fd >= 0 ? 4 : 3);
  Attributes attributes(options.new_session);
  auto arguments = pointers(options.arguments);
  auto environment = pointers(options.environment);
  pid_t pid = -1;
  int error =
      posix_spawn(&pid, options.program.c_str(), actions.get(), attributes.get(), arguments.data(), environment.data());
  if (error != 0) return fail(errno_error(error, "cannot start " + options.program));
  return pid;
}

Result<std::optional<UniqueFd>> open_process(pid_t pid) {
  int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd >= 0) return std::optional(UniqueFd(fd));
  if (errno == ESRCH) return std::optional<UniqueFd>();
  return fail_errno("cannot watch process " + std::to_string(pid));
}

Result<void> send_signal(const UniqueFd& process, int number) {
  if (syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0) == 0 || errno == ESRCH) return {};
  return fail_errno("cannot signal a process");
}

Result<bool> wait_readable(int fd, int wake_fd, std::chrono::milliseconds timeout) {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    pollfd events[] = {{fd, POLLIN, 0}, {wake_fd, POLLIN, 0}};
    int wait = -1;
    if (timeout.count() >= 0) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      wait = static_cast<int>(std::max<int64_t>(left.count(), 0));
    }
    int n = poll(events, 2, wait);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot wait");
    return events[0].revents != 0;
  }
}

std::optional<ProcessExit> reap(pid_t pid) {
  int status = 0;
  pid_t ended;
  do ended = waitpid(pid, &status, WNOHANG);
  while (ended < 0 && errno == EINTR);
  if (ended != pid) return std::nullopt;
  if (WIFSIGNALED(status)) return ProcessExit{128 + WTERMSIG(status), true};
  return ProcessExit{WEXITSTATUS(status), false};
}

Result<PipeEnds> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  return PipeEnds{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<ProcessExit> run_process(const SpawnOptions& options, std::chrono::milliseconds timeout) {
  PLZ_ASSIGN(pid_t pid, spawn(options));
  auto handle = open_process(pid);
  auto ended = handle && *handle ? wait_readable((*handle)->get(), -1, timeout) : Result<bool>(false);
  if (!ended || !*ended) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return fail(ErrorCode::timeout, options.program + " did not end in time");
  }
  return reap(pid).value_or(ProcessExit{});
}

std::optional<std::string> find_program(const std::string& name, const std::string& path) {
  if (name.find('/') != name.npos) {
    if (is_executable_file(name)) return name;
    return std::nullopt;
  }
  for (auto directory : split(path, ':')) {
    std::string candidate = (directory.empty() ? "." : std::string(directory)) + "/" + name;
    if (is_executable_file(candidate)) return candidate;
  }
  return std::nullopt;
}

}  // namespace plz
