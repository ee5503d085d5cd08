#include "cli/embedded_controller.h"

#include <algorithm>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include "base/text.h"
#include "base/version.h"
#include "cli/unix_connect.h"
#include "client/api_client.h"
#include "os/file.h"
#include "os/lock_file.h"
#include "os/process.h"

namespace plz {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

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

constexpr int kReadyFd = 3;
constexpr milliseconds kLookAgain{5};

// What it says until "ready", the end of the pipe, or the deadline.
Result<std::string> read_word(int fd, milliseconds at_most) {
  const auto deadline = steady_clock::now() + at_most;
  std::string text;
  while (!text.starts_with("ready\n")) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    PLZ_ASSIGN(const bool readable, wait_readable(fd, -1, std::max(left, milliseconds(0))));
    if (!readable) return fail(ErrorCode::timeout, "the controller did not come up in time");
    char buffer[4096];
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("waiting for the controller");
    if (got == 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  return text;
}

std::string_view last_line(std::string_view text) {
  const std::string_view trimmed = trim(text);
  return trimmed.substr(trimmed.rfind('\n') + 1);
}

Error start_failure(std::string_view words, const std::string& log_path) {
  std::string reason(trim(words));
  if (reason.empty()) {
    auto log = read_file_if_exists(log_path);
    if (log && *log) reason = printable(last_line(**log));
  }
  return Error{ErrorCode::unavailable, "the controller could not start" + (reason.empty() ? "" : ": " + reason),
               "its log is " + log_path};
}

// Of any process, not of a child only. True also when it is gone already.
Result<bool> waited_for_end(int64_t pid, milliseconds at_most) {
  PLZ_ASSIGN(const auto process, open_process(static_cast<pid_t>(pid)));
  if (!process) return true;
  return wait_readable(process->get(), -1, at_most);
}

}  // namespace

EmbeddedController::EmbeddedController(EmbeddedControllerSettings settings, Messages& messages)
    : settings_(std::move(settings)), messages_(messages) {}

Endpoint EmbeddedController::endpoint() const {
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::unix_socket;
  endpoint.path = settings_.socket_path;
  return endpoint;
}

Result<Endpoint> EmbeddedController::find() {
  PLZ_ASSIGN(Found found, look());
  if (found != Found::current) PLZ_TRY(start_or_replace());
  return endpoint();
}

bool EmbeddedController::needs_start() const {
  auto accepts = unix_socket_accepts(settings_.socket_path);
  return !accepts || !*accepts;
}

Result<EmbeddedController::Found> EmbeddedController::look() {
  PLZ_ASSIGN(const bool accepts, unix_socket_accepts(settings_.socket_path));
  if (!accepts) return Found::absent;
  if (version_known_) return Found::current;
  auto ping = ApiClient(endpoint()).ping(settings_.ping_timeout);
  if (!ping && ping.error().code == ErrorCode::unavailable) return Found::absent;  // it was just ending
  if (!ping) return fail(std::move(ping).error().with_context("asking the controller for its version"));
  found_pid_ = ping->pid;
  if (is_older_version(ping->version, settings_.version)) return Found::outdated;
  if (is_older_version(settings_.version, ping->version))
    messages_.warning(fmt::format("The controller is newer ({}) than this plz ({})", ping->version, settings_.version));
  version_known_ = true;
  return Found::current;
}

Result<void> EmbeddedController::start_or_replace() {
  PLZ_ASSIGN(LockFile lock, LockFile::lock(join_path(settings_.data_directory, "start.lock")));
  // Who waited for the lock finds what its holder before has started.
  PLZ_ASSIGN(Found found, look());
  if (found == Found::current) return {};
  if (found == Found::outdated) PLZ_TRY(hand_over());
  PLZ_ASSIGN(const bool answers_now, wait_for_end_of_another());
  if (!answers_now) PLZ_TRY(start());
  version_known_ = true;
  return {};
}

Result<void> EmbeddedController::hand_over() {
  messages_.info("Handing over to a newer controller");
  auto asked = ApiClient(endpoint()).shut_down("handover");
  if (!asked && asked.error().code != ErrorCode::unavailable)
    return fail(std::move(asked).error().with_context("asking the older controller to hand over"));
  PLZ_ASSIGN(const bool ended, waited_for_end(found_pid_, settings_.start_timeout));
  if (!ended)
    return fail(ErrorCode::timeout, "the older controller does not end",
                fmt::format("end its process ({}) yourself; its jobs go on", found_pid_));
  return {};
}

// One that is just ending listens no more, but holds its data directory for some moments. True: it
// answers after all.
Result<bool> EmbeddedController::wait_for_end_of_another() {
  const std::string lock_path = join_path(settings_.data_directory, "controller.lock");
  const auto deadline = steady_clock::now() + settings_.patience_with_another;
  while (steady_clock::now() < deadline) {
    PLZ_ASSIGN(const auto lock, LockFile::try_lock(lock_path));
    if (lock) return false;
    PLZ_ASSIGN(const bool accepts, unix_socket_accepts(settings_.socket_path));
    if (accepts) return true;
    std::this_thread::sleep_for(kLookAgain);
  }
  return fail(
      ErrorCode::unavailable,
      fmt::format("a controller uses {} and does not answer on {}", settings_.data_directory, settings_.socket_path),
      "end its process (plz-controller); its jobs go on");
}

Result<void> EmbeddedController::start() {
  if (settings_.program.empty())
    return fail(ErrorCode::not_found, "the program plz-controller is not installed",
                "it belongs beside plz: install plz again, or put plz-controller in PATH");
  const std::string log_path = join_path(settings_.data_directory, "controller.log");
  PLZ_ASSIGN(UniqueFd log, open_file(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600));
  PLZ_ASSIGN(PipeEnds ready, make_pipe());
  SpawnOptions controller;
  controller.program = settings_.program;
  controller.arguments = {settings_.program, "--embedded",          "--data-directory", settings_.data_directory,
                          "--socket",        settings_.socket_path, "--ready-fd",       std::to_string(kReadyFd)};
  controller.environment = controller_environment(settings_.environment);
  controller.stdout_fd = controller.stderr_fd = log.get();
  controller.fourth_fd = ready.in.get();
  controller.new_session = true;
  controller.directory = settings_.data_directory;
  PLZ_TRY(spawn(controller).map([](pid_t) {}));
  ready.in.reset();
  PLZ_ASSIGN(std::string word, read_word(ready.out.get(), settings_.start_timeout));
  if (!word.starts_with("ready\n")) return fail(start_failure(word, log_path));
  return {};
}

std::string find_controller_program(const EnvironmentVariables& environment) {
  std::vector<std::string> candidates;
  char self[4096];
  const ssize_t size = readlink("/proc/self/exe", self, sizeof self);
  if (size > 0) {
    const std::string directory = parent_path(std::string_view(self, static_cast<size_t>(size)));
    candidates = {join_path(directory, "plz-controller"), join_path(directory, "../libexec/plz/plz-controller")};
  }
  if (const std::string* path = find_variable(environment, "PATH"))
    for (std::string_view directory : split(*path, ':'))
      if (directory.starts_with('/')) candidates.push_back(join_path(directory, "plz-controller"));
  for (const auto& candidate : candidates)
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  return {};
}

}  // namespace plz
