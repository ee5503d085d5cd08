#include "cli/background_command.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/configuration.h"
#include "os/file.h"
#include "os/process.h"

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

}  // namespace

Result<BackgroundCommand> BackgroundCommand::start(const BackgroundCommandLine& line) {
  BackgroundCommand command;
  command.name_ = printable(line.program);
  PLZ_ASSIGN(command.output_, memory_file());
  PLZ_ASSIGN(command.errors_, memory_file());

  SpawnOptions options{.program = line.program, .arguments = {line.program}, .directory = line.directory};
  options.arguments.insert(options.arguments.end(), line.arguments.begin(), line.arguments.end());
  for (const auto& [name, value] : line.environment) options.environment.push_back(name + "=" + value);
  options.stdout_fd = command.output_.get();
  options.stderr_fd = command.errors_.get();
  PLZ_ASSIGN(command.pid_, spawn(options));
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
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

Result<BackgroundCommand::Ended> BackgroundCommand::finish(std::chrono::milliseconds at_most) {
  PLZ_ASSIGN(auto process, open_process(pid_));
  PLZ_ASSIGN(bool has_ended, wait_readable(process ? process->get() : -1, -1, at_most));
  auto exit = has_ended ? reap(pid_) : std::nullopt;
  if (!exit) {
    kill_and_reap();
    return fail(ErrorCode::timeout, fmt::format("{} did not end within {} s", name_, at_most.count() / 1000.0));
  }
  pid_ = -1;
  Ended ended{exit->status, {}, {}};
  PLZ_ASSIGN(ended.output, content(output_));
  PLZ_ASSIGN(ended.errors, content(errors_));
  return ended;
}

std::string locate_program(const std::string& name, const EnvironmentVariables& environment,
                           const std::string& directory) {
  if (name.empty()) return {};
  if (name.find('/') != name.npos) return find_program(absolute_path(name, directory), "").value_or("");
  const std::string* given = find_variable(environment, "PATH");
  const std::string search_path = given ? *given : "/usr/local/bin:/usr/bin:/bin";
  std::string absolute;
  for (auto part : split(search_path, ':'))
    absolute += fmt::format("{}{}", absolute.empty() ? "" : ":", absolute_path(part, directory));
  return find_program(name, absolute).value_or("");
}

}  // namespace plz
