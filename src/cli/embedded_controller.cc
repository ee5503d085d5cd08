#include "cli/embedded_controller.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/text.h"
#include "base/version.h"
#include "cli/data_directory.h"
#include "cli/unix_connect.h"
#include "client/api_client.h"
#include "os/file.h"
#include "os/lock_file.h"
#include "os/process.h"
#include "wire/controller_address.h"

namespace plz {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookAgain{5};
// A controller that dies this often while it starts does so by itself, and not by somebody's hand.
constexpr int kStarts = 8;
constexpr milliseconds kFirstPause{20};

std::optional<ControllerAddress> recorded_address(const std::string& data_directory) {
  auto text = read_file_if_exists(join_path(data_directory, kControllerAddressFile), 4096);
  if (!text || !*text) return std::nullopt;
  return controller_address_from_text(**text);
}

// The controller of a directory that somebody else owns, and that we can read: root's eyes.
Error of_another_user(const std::string& data_directory, const ControllerAddress& address, uid_t uid) {
  return Error{
      ErrorCode::invalid,
      fmt::format("the controller of {} (process {}) is another user's (uid {})", data_directory, address.pid, uid),
      "run plz as that user, or set PLZ_DATA_DIR to a directory of your own"};
}

Error start_failure(const FailedStart& failed, int tries, const std::string& log_path) {
  std::string sentence = "the controller could not start";
  if (!failed.killed_by.empty())
    sentence += fmt::format(": it was killed by {} while it started{}", failed.killed_by,
                            tries > 1 ? fmt::format(", {} times", tries) : "");
  if (!failed.words.empty()) sentence += failed.killed_by.empty() ? ": " : "; what it said last: ";
  return Error{ErrorCode::unavailable, sentence + failed.words, "its log is " + log_path};
}

std::string who_does_not_answer(const std::string& data_directory) {
  const auto address = recorded_address(data_directory);
  return fmt::format("end its process ({}); its jobs go on",
                     address ? fmt::format("plz-controller, {}", address->pid) : "plz-controller");
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
  endpoint.path = found_socket_;
  return endpoint;
}

Result<Endpoint> EmbeddedController::find() {
  PLZ_ASSIGN(Found found, look());
  if (found != Found::current) PLZ_TRY(start_or_replace());
  return endpoint();
}

bool EmbeddedController::needs_start() const {
  auto socket = listening();
  return !socket || !*socket;
}

// The socket that our controller listens on, if one does.
Result<std::optional<std::string>> EmbeddedController::listening() const {
  if (const auto address = recorded_address(settings_.data_directory)) {
    const auto peer = unix_socket_peer(address->socket);
    // A number of 0 is that of a process elsewhere: in another container, with which we share the directory.
    const bool recorded = peer && *peer && ((*peer)->pid == address->pid || (*peer)->pid == 0);
    if (recorded && (*peer)->uid != geteuid())
      return fail(of_another_user(settings_.data_directory, *address, (*peer)->uid));
    if (recorded) return address->socket;
  }
  if (!settings_.socket_path) return std::nullopt;
  PLZ_ASSIGN(const bool accepts, unix_socket_accepts(*settings_.socket_path));
  return accepts ? std::optional(*settings_.socket_path) : std::nullopt;
}

Result<EmbeddedController::Found> EmbeddedController::look() {
  PLZ_ASSIGN(const auto socket, listening());
  if (!socket) return Found::absent;
  found_socket_ = *socket;
  if (version_known_) return Found::current;
  auto ping = ApiClient(endpoint()).ping(settings_.ping_timeout);
  if (!ping && ping.error().code == ErrorCode::unavailable) return Found::absent;  // it was just ending
  if (!ping && ping.error().hint.empty()) ping.error().hint = who_does_not_answer(settings_.data_directory);
  if (!ping) return fail(std::move(ping).error().with_context("asking the controller for its version"));
  found_pid_ = ping->pid;
  if (is_older_version(ping->version, settings_.version)) return Found::outdated;
  if (is_older_version(settings_.version, ping->version))
    messages_.warning(fmt::format("The controller is newer ({}) than this plz ({})", ping->version, settings_.version));
  version_known_ = true;
  return Found::current;
}

Result<LockFile> EmbeddedController::lock_starts() const {
  PLZ_ASSIGN(auto lock,
             LockFile::try_lock(join_path(settings_.data_directory, "start.lock"), settings_.patience_with_another));
  if (lock) return std::move(*lock);
  return fail(ErrorCode::timeout, "another plz is starting the controller of " + settings_.data_directory,
              "it does not get on; plz-controller's log says more: " + controller_log_path(settings_.data_directory));
}

Result<void> EmbeddedController::start_or_replace() {
  PLZ_ASSIGN(const LockFile lock, lock_starts());
  // Who waited for the lock finds what its holder before has started.
  PLZ_ASSIGN(Found found, look());
  if (found == Found::current) return {};
  if (found == Found::outdated) PLZ_TRY(hand_over());
  PLZ_TRY(start_patiently());
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
    PLZ_ASSIGN(const auto socket, listening());
    if (socket) {
      found_socket_ = *socket;
      return true;
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  return fail(ErrorCode::unavailable,
              fmt::format("a controller uses {} and does not answer on {}", settings_.data_directory,
                          settings_.socket_path.value_or("its socket")),
              who_does_not_answer(settings_.data_directory));
}

Result<std::optional<Endpoint>> EmbeddedController::running() {
  PLZ_ASSIGN(const auto socket, listening());
  if (!socket) return std::nullopt;
  found_socket_ = *socket;
  return endpoint();
}

int64_t EmbeddedController::recorded_pid() const {
  const auto address = recorded_address(settings_.data_directory);
  return address && address->socket == found_socket_ ? address->pid : 0;
}

Result<std::optional<int64_t>> EmbeddedController::end() {
  PLZ_ASSIGN(const LockFile lock, lock_starts());
  return end_locked();
}

Result<std::optional<int64_t>> EmbeddedController::restart() {
  PLZ_ASSIGN(const LockFile lock, lock_starts());
  PLZ_ASSIGN(const auto ended, end_locked());
  PLZ_TRY(start_patiently());
  version_known_ = true;
  return ended;
}

// The controller first: it would start its worker again.
Result<std::optional<int64_t>> EmbeddedController::end_locked() {
  PLZ_ASSIGN(const auto ended, end_controller());
  PLZ_TRY(end_worker());
  return ended;
}

Result<std::optional<int64_t>> EmbeddedController::end_controller() {
  version_known_ = false;
  PLZ_ASSIGN(const auto socket, listening());
  // One that does not listen holds the directory only for moments: it begins, or it ends.
  if (!socket) {
    PLZ_ASSIGN(const bool answers_now, wait_for_end_of_another());
    if (!answers_now) return std::nullopt;
  } else {
    found_socket_ = *socket;
  }
  const auto ping = ApiClient(endpoint()).ping(settings_.ping_timeout);
  const int64_t pid = ping ? ping->pid : recorded_pid();
  if (pid <= 0)
    return fail(ErrorCode::timeout, "the controller does not answer", who_does_not_answer(settings_.data_directory));
  PLZ_ASSIGN(const auto process, open_process(static_cast<pid_t>(pid)));
  if (!process) return pid;
  const auto asked = ping ? ApiClient(endpoint()).shut_down("plz controller") : Result<void>(fail(ping.error()));
  // One that hears nothing may still heed a signal.
  if (!asked) PLZ_TRY(send_signal(*process, SIGTERM));
  PLZ_ASSIGN(const bool ended, wait_readable(process->get(), -1, settings_.start_timeout));
  if (ended) return pid;
  return fail(ErrorCode::timeout, fmt::format("the controller (process {}) does not end", pid),
              fmt::format("end it yourself: kill -9 {}; its jobs go on", pid));
}

// Also one that a controller has left which was killed. It writes its process id into the lock that it holds
// (provider/local/local_provider.h).
Result<void> EmbeddedController::end_worker() {
  const std::string lock_path = join_path(settings_.data_directory, "worker/lock");
  if (!path_exists(lock_path)) return {};
  const std::string text = read_file_if_exists(lock_path, 64).value_or(std::nullopt).value_or("");
  const int pid = atoi(text.c_str());
  PLZ_ASSIGN(const auto process, open_process(std::max(pid, 1)));
  PLZ_ASSIGN(auto free, LockFile::try_lock(lock_path));
  if (free) return {};
  // It held the lock when the descriptor was there already: this is the process.
  if (pid > 1 && process) PLZ_TRY(send_signal(*process, SIGTERM));
  PLZ_ASSIGN(free, LockFile::try_lock(lock_path, settings_.start_timeout));
  if (free) return {};
  return fail(ErrorCode::timeout, fmt::format("the worker (process {}) does not end", pid),
              fmt::format("end it yourself: kill -9 {}; its jobs go on", pid));
}

// Where the last one listened, if that can still be: workers and other shells know of it.
Result<std::string> EmbeddedController::place_to_listen() const {
  const auto address = recorded_address(settings_.data_directory);
  if (address && is_private_directory(parent_path(address->socket))) return address->socket;
  return settings_.socket_path;
}

Result<void> EmbeddedController::start_patiently() {
  milliseconds pause = kFirstPause;
  for (int tries = 1;; ++tries) {
    PLZ_ASSIGN(const bool answers_now, wait_for_end_of_another());
    if (answers_now) return {};
    PLZ_ASSIGN(found_socket_, place_to_listen());
    PLZ_ASSIGN(const auto failed, start_controller({settings_.program, settings_.data_directory, found_socket_,
                                                    settings_.environment, settings_.start_timeout}));
    if (!failed) return {};
    // Another that was started without our lock may have been quicker: then this one refused, and that one is found.
    PLZ_ASSIGN(const auto socket, listening());
    const bool hopeless = failed->killed_by.empty() && !socket;
    if (hopeless || tries == kStarts)
      return fail(start_failure(*failed, tries, controller_log_path(settings_.data_directory)));
    if (!failed->killed_by.empty() && tries == 1)
      messages_.info(
          fmt::format("The controller was killed ({}) while it started: starting it again", failed->killed_by));
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
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
