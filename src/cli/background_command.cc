#include "cli/background_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/configuration.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr uint64_t kMostOutputBytes = 1u << 30;

Result<UniqueFd> memory_file() {
  UniqueFd fd(memfd_create("plz-output", MFD_CLOEXEC));
  if (!fd) return fail_errno("cannot make a file in memory");
  return fd;
}

Result<std::string> content(const UniqueFd& file) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return fail_errno("cannot read a program's output");
  auto size = static_cast<uint64_t>(status.st_size);
  if (size > kMostOutputBytes) return fail(ErrorCode::internal, fmt::format("it printed {}", human_bytes(size)));
  std::string text(size, '\0');
  PLZ_ASSIGN(size_t read, pread_up_to(file.get(), text.data(), text.size(), 0));
  text.resize(read);
  return text;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// The attributes and actions of posix_spawn, freed at the end.
class SpawnPlan {
 public:
  SpawnPlan(const std::string& directory, int output, int errors) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  int spawn(pid_t* pid, const char* program, char* const* arguments, char* const* environment) {
    return posix_spawn(pid, program, &actions_, &attributes_, arguments, environment);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// False: the time is over.
bool ends_within(pid_t pid, std::chrono::milliseconds at_most) {
  // By number: the header of glibc 2.36 declares pidfd_open without C linkage.
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return true;  // a kernel that lacks or forbids it: then waitpid does without a limit
  auto deadline = std::chrono::steady_clock::now() + at_most;
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{process.get(), POLLIN, 0};
    int ready = poll(&waiting, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) return ready != 0;
  }
}

bool is_executable_file(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

Result<BackgroundCommand> BackgroundCommand::start(const BackgroundCommandLine& line) {
  BackgroundCommand command;
  command.name_ = printable(line.program);
  PLZ_ASSIGN(command.output_, memory_file());
  PLZ_ASSIGN(command.errors_, memory_file());

  std::vector<std::string> arguments{line.program};
  arguments.insert(arguments.end(), line.arguments.begin(), line.arguments.end());
  std::vector<std::string> environment;
  for (const auto& [name, value] : line.environment) environment.push_back(name + "=" + value);

  SpawnPlan plan(line.directory, command.output_.get(), command.errors_.get());
  int error = plan.spawn(&command.pid_, line.program.c_str(), pointers(arguments).data(), pointers(environment).data());
  if (error != 0) {
    command.pid_ = -1;
    return fail(errno_error(error, fmt::format("cannot start {}", command.name_)));
  }
  return command;
}

BackgroundCommand::BackgroundCommand(BackgroundCommand&& other) noexcept { *this = std::move(other); }

BackgroundCommand& BackgroundCommand::operator=(BackgroundCommand&& other) noexcept {
  if (this == &other) return *this;
  kill_and_reap();
  name_ = std::move(other.name_);
  pid_ = std::exchange(other.pid_, -1);
  output_ = std::move(other.output_);
  errors_ = std::move(other.errors_);
  return *this;
}

BackgroundCommand::~BackgroundCommand() { kill_and_reap(); }

void BackgroundCommand::kill_and_reap() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  wait_for(std::exchange(pid_, -1));
}

Result<BackgroundCommand::Ended> BackgroundCommand::finish(std::chrono::milliseconds at_most) {
  if (!ends_within(pid_, at_most)) {
    kill_and_reap();
    return fail(ErrorCode::timeout, fmt::format("{} did not end within {} s", name_, at_most.count() / 1000.0));
  }
  int status = wait_for(std::exchange(pid_, -1));
  Ended ended;
  ended.exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  PLZ_ASSIGN(ended.output, content(output_));
  PLZ_ASSIGN(ended.errors, content(errors_));
  return ended;
}

std::string find_program(std::string_view name, const EnvironmentVariables& environment,
                         const std::string& directory) {
  if (name.empty()) return {};
  if (name.find('/') != name.npos) {
    std::string path = absolute_path(name, directory);
    return is_executable_file(path) ? path : "";
  }
  const std::string* search_path = find_variable(environment, "PATH");
  for (auto part : split(search_path ? *search_path : "/usr/local/bin:/usr/bin:/bin", ':')) {
    std::string path = join_path(absolute_path(part, directory), name);
    if (is_executable_file(path)) return path;
  }
  return {};
}

}  // namespace plz
