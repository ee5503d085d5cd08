#include "runtime/init_runner.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/text.h"
#include "init/contract.h"
#include "os/cgroup.h"
#include "os/file.h"
#include "os/process.h"
#include "os/wake.h"

namespace plz {
namespace {

// An outer half that ends this often without having done its work will not do it.
constexpr int kMostOuterHalves = 5;
constexpr char kCgroupNote[] = "init.cgroup";
constexpr char kNoLimitNote[] = "init.no_limit";  // what is said of it

std::string file_of(const AttemptPaths& paths, const char* name) { return join_path(paths.directory, name); }

// The outer half that cares for the attempt; its lock goes with its life.
Result<std::optional<pid_t>> lock_holder(const AttemptPaths& paths) {
  std::string path = file_of(paths, init::kLockFile);
  auto fd = open_file(path, O_RDWR);
  if (!fd && fd.error().code == ErrorCode::not_found) return std::optional<pid_t>();
  if (!fd) return fail(std::move(fd).error());
  struct flock lock {};
  lock.l_type = F_WRLCK;
  if (fcntl(fd->get(), F_GETLK, &lock) != 0) return fail_errno("cannot look at the lock " + path);
  return lock.l_type == F_UNLCK ? std::nullopt : std::optional(lock.l_pid);
}

bool has_writer(const std::string& fifo) {
  UniqueFd pipe(open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  auto scratch = make_pipe();
  // tee(2) looks without taking.
  return pipe && scratch && tee(pipe.get(), scratch->in.get(), 1, SPLICE_F_NONBLOCK) != 0;
}

bool was_launched(const AttemptPaths& paths) {
  return path_exists(file_of(paths, init::kLaunchMarker)) || has_writer(file_of(paths, init::kLogPipe));
}

// Its directory is noted: whoever recovers the attempt must find it.
std::optional<std::string> cgroup_of(const AttemptPaths& paths) {
  auto noted = read_file_if_exists(file_of(paths, kCgroupNote));
  if (!noted || !*noted || (*noted)->empty()) return std::nullopt;
  return **noted;
}

// The files to enter by; none where no cgroup can be made, which is noted.
Result<std::vector<std::string>> limit_memory(const AttemptPaths& paths, uint64_t bytes) {
  auto directory = cgroup_of(paths);
  if (!directory) {
    auto made = make_memory_cgroup(bytes);
    if (!made) {
      const std::string words =
          fmt::format("the memory limit of {} was not enforced: {}", human_bytes(bytes), made.error().message);
      PLZ_TRY(write_file_atomically(file_of(paths, kNoLimitNote), words, 0600, Sync::no));
      return std::vector<std::string>();
    }
    directory = *made;
    PLZ_TRY(write_file_atomically(file_of(paths, kCgroupNote), *directory, 0600, Sync::no));
  }
  return std::vector{cgroup_procs_file(*directory)};
}

Error outer_half_fails(const AttemptPaths& paths) {
  auto said = read_file_if_exists(file_of(paths, init::kErrorFile));
  std::string words = said && *said ? **said : "";
  return Error{ErrorCode::internal, fmt::format("plz-init cannot carry the log of {}: {}", paths.directory, words), {}};
}

}  // namespace

Result<void> InitRunner::start(const AttemptPaths& paths, InitSpec spec, uint64_t memory_bytes) {
  if (memory_bytes > 0) {
    PLZ_ASSIGN(spec.cgroup_procs, limit_memory(paths, memory_bytes));
  }
  PLZ_ASSIGN(std::string text, encode_init_spec(spec));
  // Of the job's environment, which may hold secrets: for its owner only.
  PLZ_TRY(write_file_atomically(file_of(paths, init::kSpecFile), text, 0600, Sync::no));
  return spawn_outer(paths);
}

Result<void> InitRunner::spawn_outer(const AttemptPaths& paths) {
  reap_children();
  PLZ_ASSIGN(UniqueFd errors, open_file(file_of(paths, init::kErrorFile), O_WRONLY | O_CREAT | O_APPEND, 0600));
  PLZ_ASSIGN(PipeEnds answer, make_pipe());
  SpawnOptions options;
  options.program = plz_init_path_;
  options.arguments = {"plz-init", "outer", paths.directory};
  options.stdout_fd = answer.in.get();
  options.stderr_fd = errors.get();
  options.new_session = true;
  {
    std::lock_guard lock(mutex_);
    PLZ_ASSIGN(pid_t pid, spawn(options));
    children_[paths.directory] = pid;
  }
  // It answers, or ends: because another has the attempt in hand, or in a way that wait() will see.
  answer.in.reset();
  char in_hand;
  PLZ_ASSIGN([[maybe_unused]] size_t size, read_up_to(answer.out.get(), &in_hand, 1));
  return {};
}

Result<AttemptPhase> InitRunner::recover(const AttemptPaths& paths) {
  if (!path_exists(file_of(paths, init::kSpecFile))) return AttemptPhase::not_started;
  PLZ_ASSIGN(auto records, read_attempt_records(paths));
  if (records.complete()) return AttemptPhase::ended;
  PLZ_ASSIGN(auto holder, lock_holder(paths));
  if (holder) return AttemptPhase::running;
  if (!was_launched(paths)) return AttemptPhase::not_started;
  PLZ_TRY(spawn_outer(paths));
  return AttemptPhase::running;
}

Result<ExitReport> InitRunner::wait(const AttemptPaths& paths, std::stop_token stop) {
  PLZ_ASSIGN(AttemptRecords records, wait_for_records(paths, std::move(stop)));
  auto cgroup = cgroup_of(paths);
  ExitReport report = exit_report(records, cgroup ? cgroup_oom_kills(*cgroup) : std::nullopt);
  // A line of its own: also that of a job that failed for another reason is a warning.
  if (auto words = read_file(file_of(paths, kNoLimitNote)); words && !words->empty())
    report.outcome.reason += "\n" + *words;
  return report;
}

Result<AttemptRecords> InitRunner::wait_for_records(const AttemptPaths& paths, std::stop_token stop) {
  PLZ_ASSIGN(Wake wake, Wake::make());
  std::stop_callback on_stop(stop, [&wake] { wake.wake(); });
  for (int outer_halves = 0; outer_halves < kMostOuterHalves;) {
    PLZ_ASSIGN(auto records, read_attempt_records(paths));
    if (records.complete()) return records;
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "no longer waiting for " + paths.directory);
    PLZ_ASSIGN(bool waited, wait_for_outer(paths, wake.fd()));
    if (waited) continue;
    if (!path_exists(file_of(paths, init::kSpecFile)))
      return fail(ErrorCode::not_found, "no attempt was started in " + paths.directory);
    // It was killed: another takes up where it was.
    PLZ_TRY(spawn_outer(paths));
    ++outer_halves;
  }
  return fail(outer_half_fails(paths));
}

Result<bool> InitRunner::wait_for_outer(const AttemptPaths& paths, int wake_fd) {
  PLZ_ASSIGN(auto outer, watch_outer(paths));
  if (!outer) return false;
  PLZ_ASSIGN(bool ended, wait_readable(outer->get(), wake_fd, std::chrono::milliseconds(-1)));
  if (ended) reap_children();
  return true;
}

Result<std::optional<UniqueFd>> InitRunner::watch_outer(const AttemptPaths& paths) {
  {
    std::lock_guard lock(mutex_);
    if (auto child = children_.find(paths.directory); child != children_.end()) return open_process(child->second);
  }
  PLZ_ASSIGN(auto holder, lock_holder(paths));
  if (!holder) return std::optional<UniqueFd>();
  PLZ_ASSIGN(auto process, open_process(*holder));
  // Still the holder, hence the same process and no later one of that number.
  PLZ_ASSIGN(auto holder_now, lock_holder(paths));
  if (holder_now != holder) process.reset();
  return process;
}

void InitRunner::reap_children() {
  std::lock_guard lock(mutex_);
  std::erase_if(children_, [](const auto& child) { return reap(child.second).has_value(); });
}

Result<void> InitRunner::stop(const AttemptPaths& paths, std::chrono::milliseconds grace) {
  PLZ_TRY(write_file_atomically(file_of(paths, init::kStopFile), fmt::format("{}\n", grace.count()), 0600, Sync::no));
  std::string path = file_of(paths, init::kControlPipe);
  UniqueFd control(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  // Nobody listens: it has ended, or has not begun and will look at the file first.
  if (!control) return errno == ENXIO || errno == ENOENT ? Result<void>() : fail_errno("cannot stop " + path);
  // A full pipe has woken the listener already.
  if (write(control.get(), "s", 1) < 0 && errno != EAGAIN) return fail_errno("cannot stop " + path);
  return {};
}

Result<void> InitRunner::destroy(const AttemptPaths& paths) {
  auto cgroup = cgroup_of(paths);
  auto without_cgroup = cgroup ? remove_cgroup(*cgroup) : Result<void>();
  PLZ_TRY(remove_tree(run_directory(paths)));
  return without_cgroup;
}

}  // namespace plz
