#include "runtime/fake/fake_runtime.h"

#include <fcntl.h>

#include <algorithm>
#include <csignal>

#include "os/boot_time.h"
#include "os/file.h"

namespace plz {
namespace {

Result<void> append_log(const AttemptPaths& paths, std::string_view text) {
  PLZ_ASSIGN(UniqueFd log, open_file(paths.log(), O_WRONLY | O_CREAT | O_APPEND, 0600));
  return write_all(log.get(), text);
}

}  // namespace

FakeRuntime::FakeRuntime(const Clock& clock, Script script, std::string name)
    : clock_(clock), script_(std::move(script)), name_(std::move(name)) {}

RuntimeFingerprint FakeRuntime::fingerprint() {
  std::lock_guard lock(mutex_);
  if (absent_) return {.name = name_, .available = false, .detail = *absent_};
  return {.name = name_, .available = true, .version = "1"};
}

void FakeRuntime::be_absent(std::string why) {
  std::lock_guard lock(mutex_);
  absent_ = std::move(why);
}

RuntimeFingerprint FakeRuntime::full_fingerprint() {
  RuntimeFingerprint full = fingerprint();
  full.detail = "in full";
  return full;
}

std::string FakeRuntime::job_path(const AttemptPaths& paths, std::string_view which) const {
  if (which == "configuration") return paths.configuration();
  return join_path(paths.directory, which);
}

WorkingCopy FakeRuntime::working_copy(const AttemptPaths& paths) const { return {job_path(paths, "code"), true}; }

Result<void> FakeRuntime::start(const LaunchSpec& spec) {
  if (spec.command.empty() && spec.image.empty()) return fail(ErrorCode::invalid, "there is no command to run");
  FakeJob job = script_ ? script_(spec) : FakeJob{};
  if (job.start_error) return fail(*job.start_error);
  {
    std::lock_guard lock(mutex_);
    if (auto known = attempts_.find(spec.paths.directory); known != attempts_.end()) {
      if (!known->second.is_destroyed) return {};
      attempts_.erase(known);
    }
    Attempt attempt{.job = job};
    attempt.report.started = clock_.now();
    attempts_.emplace(spec.paths.directory, std::move(attempt));
  }
  PLZ_TRY(append_log(spec.paths, job.log));
  if (job.effect) job.effect(spec);
  {
    std::lock_guard lock(mutex_);
    started_.push_back(spec);
  }
  if (job.ends_by_itself) finish(spec.paths, job.outcome);
  return {};
}

Result<AttemptPhase> FakeRuntime::recover(const AttemptPaths& paths) {
  std::lock_guard lock(mutex_);
  auto attempt = attempts_.find(paths.directory);
  return attempt == attempts_.end() ? AttemptPhase::not_started : attempt->second.phase;
}

Result<ExitReport> FakeRuntime::wait(const AttemptPaths& paths, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  auto attempt = attempts_.find(paths.directory);
  if (attempt == attempts_.end()) return fail(ErrorCode::not_found, "no attempt was started in " + paths.directory);
  bool ended = changed_.wait(lock, stop, [&] { return attempt->second.phase == AttemptPhase::ended; });
  if (!ended) return fail(ErrorCode::cancelled, "no longer waiting for " + paths.directory);
  return attempt->second.report;
}

Result<void> FakeRuntime::stop(const AttemptPaths& paths, std::chrono::milliseconds grace) {
  std::lock_guard lock(mutex_);
  auto attempt = attempts_.find(paths.directory);
  if (attempt == attempts_.end() || attempt->second.phase == AttemptPhase::ended) return {};
  if (stops_to_fail_ > 0) {
    --stops_to_fail_;
    return fail(ErrorCode::unavailable, "the engine is away");
  }
  attempt->second.grace = grace;
  if (!attempt->second.job.ignores_stop)
    end(attempt->second, {.kind = OutcomeKind::signalled, .exit_status = 128 + SIGTERM, .signal = SIGTERM});
  return {};
}

Result<void> FakeRuntime::destroy(const AttemptPaths& paths) {
  std::lock_guard lock(mutex_);
  destroyed_.push_back(paths.directory);
  if (auto known = attempts_.find(paths.directory); known != attempts_.end()) known->second.is_destroyed = true;
  return {};
}

void FakeRuntime::finish(const AttemptPaths& paths, Outcome outcome) {
  std::lock_guard lock(mutex_);
  auto attempt = attempts_.find(paths.directory);
  if (attempt != attempts_.end()) end(attempt->second, std::move(outcome));
}

void FakeRuntime::fail_stops(int times) {
  std::lock_guard lock(mutex_);
  stops_to_fail_ = times;
}

void FakeRuntime::forget_stops() {
  std::lock_guard lock(mutex_);
  for (auto& [directory, attempt] : attempts_) attempt.grace.reset();
}

void FakeRuntime::end(Attempt& attempt, Outcome outcome) {
  if (attempt.phase == AttemptPhase::ended) return;
  attempt.report.outcome = std::move(outcome);
  attempt.report.ended = clock_.now();
  attempt.report.ended_boot_time = boot_time();
  attempt.phase = AttemptPhase::ended;
  changed_.notify_all();
}

void FakeRuntime::write_log(const AttemptPaths& paths, std::string_view text) {
  // A test that cannot write its log finds the log wanting.
  [[maybe_unused]] auto written = append_log(paths, text);
}

std::vector<LaunchSpec> FakeRuntime::started() const {
  std::lock_guard lock(mutex_);
  return started_;
}

std::vector<std::string> FakeRuntime::destroyed() const {
  std::lock_guard lock(mutex_);
  return destroyed_;
}

std::optional<std::chrono::milliseconds> FakeRuntime::stop_asked(const AttemptPaths& paths) const {
  std::lock_guard lock(mutex_);
  auto attempt = attempts_.find(paths.directory);
  return attempt == attempts_.end() ? std::nullopt : attempt->second.grace;
}

}  // namespace plz
