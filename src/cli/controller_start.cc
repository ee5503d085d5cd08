#include "cli/controller_start.h"

#include <algorithm>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/execution_report.h"
#include "os/file.h"
#include "os/process.h"

namespace plz {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kReadyFd = 3;
constexpr milliseconds kUntilItIsGone{5'000};
constexpr size_t kLogTailBytes = 64u << 10;

// What the controller is given of the shell's environment: what it needs to find programs, to speak
// the user's language and to reach the network. A job's variables travel with its submission.
bool concerns_the_controller(std::string_view name) {
  for (std::string_view kept :
       {"HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"})
    if (name == kept) return true;
  for (std::string_view prefix : {"LC_", "XDG_", "DBUS_", "DOCKER_", "PLZ_", "ASAN_", "UBSAN_", "TSAN_", "LSAN_"})
    if (name.starts_with(prefix)) return true;
  return false;
}

std::vector<std::string> controller_environment(const EnvironmentVariables& environment) {
  std::vector<std::string> kept;
  for (const auto& [name, value] : environment)
    if (concerns_the_controller(name)) kept.push_back(name + "=" + value);
  return kept;
}

// What it says until "ready", the end of the pipe, or the deadline.
Result<std::string> read_word(int fd, milliseconds at_most) {
  const auto deadline = steady_clock::now() + at_most;
  std::string text;
  while (!text.starts_with("ready\n")) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    PLZ_ASSIGN(const bool readable, wait_readable(fd, -1, std::max(left, milliseconds(0))));
    if (!readable)
      return fail(ErrorCode::timeout,
                  fmt::format("the controller did not come up within {} s", static_cast<double>(at_most.count()) / 1e3),
                  "it may still come up: try again");
    char buffer[4096];
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("waiting for the controller");
    if (got == 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  return text;
}

std::string last_line_since(int log, uint64_t offset) {
  struct stat status;
  if (fstat(log, &status) != 0) return {};
  const auto size = static_cast<uint64_t>(status.st_size);
  const uint64_t from = std::max(offset, size > kLogTailBytes ? size - kLogTailBytes : 0);
  std::string text(size > from ? size - from : 0, '\0');
  auto read = pread_up_to(log, text.data(), text.size(), from);
  text.resize(read.value_or(0));
  const std::string_view trimmed = trim(text);
  return printable(trimmed.substr(trimmed.rfind('\n') + 1));
}

// It is our child, and has closed its end of the pipe.
std::string signal_that_ended(pid_t pid) {
  auto process = open_process(pid);
  if (process && *process) (void)wait_readable((*process)->get(), -1, kUntilItIsGone);
  const auto ended = reap(pid);
  return ended && ended->signalled ? signal_name(ended->status - 128) : std::string();
}

Result<UniqueFd> open_log(const std::string& path) {
  auto log = open_file(path, O_RDWR | O_CREAT | O_APPEND, 0600);
  if (!log) log.error().hint = "make room there, or set PLZ_DATA_DIR to a directory on another disk";
  return log;
}

}  // namespace

std::string controller_log_path(const std::string& data_directory) {
  return join_path(data_directory, "controller.log");
}

Result<std::optional<FailedStart>> start_controller(const ControllerStart& start) {
  if (start.program.empty())
    return fail(ErrorCode::not_found, "the program plz-controller is not installed",
                "it belongs beside plz: install plz again, or put plz-controller in PATH");
  PLZ_ASSIGN(UniqueFd log, open_log(controller_log_path(start.data_directory)));
  struct stat before {};
  fstat(log.get(), &before);
  PLZ_ASSIGN(PipeEnds ready, make_pipe());
  SpawnOptions controller;
  controller.program = start.program;
  controller.arguments = {start.program, "--embedded",      "--data-directory", start.data_directory,
                          "--socket",    start.socket_path, "--ready-fd",       std::to_string(kReadyFd)};
  controller.environment = controller_environment(start.environment);
  controller.stdout_fd = controller.stderr_fd = log.get();
  controller.fourth_fd = ready.in.get();
  controller.new_session = true;
  controller.directory = start.data_directory;
  PLZ_ASSIGN(const pid_t pid, spawn(controller));
  ready.in.reset();
  PLZ_ASSIGN(const std::string word, read_word(ready.out.get(), start.timeout));
  if (word.starts_with("ready\n")) return std::nullopt;
  FailedStart failed;
  failed.words = trim(word);
  failed.explained = !failed.words.empty();
  failed.killed_by = signal_that_ended(pid);
  if (!failed.explained) failed.words = last_line_since(log.get(), static_cast<uint64_t>(before.st_size));
  return failed;
}

}  // namespace plz
