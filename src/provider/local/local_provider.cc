#include "provider/local/local_provider.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "base/text.h"
#include "os/file.h"
#include "os/lock_file.h"

extern char** environ;

namespace plz {

namespace {

constexpr std::chrono::milliseconds kStrangersEnd{20'000};
constexpr std::chrono::milliseconds kAtOnce{5'000};

}  // namespace

std::string worker_lock_path(const std::string& worker_directory) { return join_path(worker_directory, "lock"); }

LocalProvider::LocalProvider(LocalProviderSettings settings) : settings_(std::move(settings)) {}

Result<std::vector<Offer>> LocalProvider::offers() { return std::vector<Offer>{Offer{"", settings_.capacity}}; }

void LocalProvider::reap() {
  int status = 0;
  if (pid_ <= 0 || waitpid(pid_, &status, WNOHANG) != pid_) return;
  pid_ = -1;
  // Somebody who kills it knows why.
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM)) return;
  if (status == 0 || std::chrono::steady_clock::now() - started_ > kAtOnce) return;
  ended_at_once_ = WIFSIGNALED(status) ? fmt::format("by signal {}", WTERMSIG(status))
                                       : fmt::format("with an exit status of {}", WEXITSTATUS(status));
}

Result<void> LocalProvider::check_last_start() {
  if (ended_at_once_.empty()) return {};
  return fail(
      ErrorCode::unavailable,
      fmt::format("the worker of this machine ended as soon as it was started, {}", std::exchange(ended_at_once_, {})),
      "it may have said why in " + settings_.log_path);
}

// The process that holds the worker's lock; 0: it is not known.
int LocalProvider::holder() const {
  auto content = read_file_if_exists(worker_lock_path(settings_.worker_directory));
  int pid = 0;
  if (content && *content) std::from_chars((*content)->data(), (*content)->data() + (*content)->size(), pid);
  return pid > 1 ? pid : 0;
}

// A worker of an earlier controller may dial where nobody listens any more.
bool LocalProvider::dials_elsewhere() const {
  auto words = read_file_if_exists("/proc/" + std::to_string(holder()) + "/cmdline");
  if (!words || !*words) return false;
  const auto all = split(**words, '\0');
  const auto flag = std::find(all.begin(), all.end(), "--controller");
  return flag != all.end() && std::next(flag) != all.end() && *std::next(flag) != settings_.controller;
}

// Its jobs go on, and are taken up by the next one.
Result<void> LocalProvider::replace_stranger() {
  const std::string path = worker_lock_path(settings_.worker_directory);
  if (!path_exists(path)) return {};
  {
    PLZ_ASSIGN(auto free, LockFile::try_lock(path));
    if (free || !dials_elsewhere()) return {};
  }
  kill(holder(), SIGTERM);
  PLZ_ASSIGN(auto ended, LockFile::try_lock(path, kStrangersEnd));
  if (ended) return {};
  return fail(ErrorCode::unavailable, "the worker of an earlier controller does not end",
              "end its process (plz-worker, " + std::to_string(holder()) + "); its jobs go on");
}

Result<void> LocalProvider::create(InstanceId id, const MarketSpec&) {
  std::lock_guard lock(mutex_);
  reap();
  if (pid_ > 0) return {};
  PLZ_TRY(check_last_start());
  PLZ_TRY(replace_stranger());
  std::vector<std::string> words{settings_.worker_program,
                                 "--controller",
                                 settings_.controller,
                                 "--directory",
                                 settings_.worker_directory,
                                 "--instance",
                                 id.to_string(),
                                 "--log",
                                 settings_.log_path,
                                 "--hide",
                                 settings_.hidden_directory};
  words.insert(words.end(), settings_.worker_arguments.begin(), settings_.worker_arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, settings_.log_path.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  started_ = std::chrono::steady_clock::now();
  int error = posix_spawn(&pid_, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    pid_ = -1;
    return fail(ErrorCode::unavailable, errno_error(error, "cannot start " + settings_.worker_program).message,
                "plz-worker belongs beside plz-controller: is the installation whole?");
  }
  if (rlimit limit{}; settings_.descriptor_limit && prlimit(pid_, RLIMIT_NOFILE, nullptr, &limit) == 0) {
    limit.rlim_cur = std::min<rlim_t>(*settings_.descriptor_limit, limit.rlim_max);
    prlimit(pid_, RLIMIT_NOFILE, &limit, nullptr);
  }
  return {};
}

Result<InstanceHealth> LocalProvider::inspect(InstanceId) {
  {
    std::lock_guard lock(mutex_);
    reap();
    if (pid_ > 0) return InstanceHealth::alive;
  }
  std::string path = worker_lock_path(settings_.worker_directory);
  if (!path_exists(path)) return InstanceHealth::gone;
  PLZ_ASSIGN(auto held, LockFile::try_lock(path));
  return held || dials_elsewhere() ? InstanceHealth::gone : InstanceHealth::alive;
}

// A worker that is told to end leaves its jobs to the next one.
Result<void> LocalProvider::end_worker(InstanceId id) { return terminate(id); }

Result<void> LocalProvider::terminate(InstanceId id) {
  PLZ_ASSIGN(InstanceHealth health, inspect(id));
  if (health == InstanceHealth::gone) return {};
  if (const int pid = holder()) kill(pid, SIGTERM);
  return {};
}

}  // namespace plz
