// How DockerRuntime waits for the end of an attempt.
#include <algorithm>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "init/contract.h"
#include "os/file.h"
#include "os/process.h"
#include "os/wake.h"
#include "runtime/docker/container_outcome.h"
#include "runtime/docker/docker_runtime.h"

namespace plz {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstPause{1};
constexpr milliseconds kPatienceWithNew{64};
constexpr milliseconds kLastPause{1000};

// Until no process has the pipe open for writing, or the wake.
void wait_for_hang_up(int pipe, int wake_fd) {
  pollfd events[] = {{pipe, 0, 0}, {wake_fd, POLLIN, 0}};
  poll(events, 2, -1);
}

void pause_unless_woken(int wake_fd, milliseconds time) { static_cast<void>(wait_readable(wake_fd, -1, time)); }

Error no_longer_waiting(const ContainerFiles& files) {
  return {ErrorCode::cancelled, "no longer waiting for " + files.paths().directory, {}};
}

bool is_over(ContainerStatus status) {
  return status == ContainerStatus::exited || status == ContainerStatus::dead || status == ContainerStatus::removing;
}

}  // namespace

Result<void> DockerRuntime::watch(ContainerFiles& files, const ContainerNote& note, std::stop_token stop) {
  PLZ_ASSIGN(Wake wake, Wake::make());
  std::stop_callback on_stop(stop, [&wake] { wake.wake(); });
  UniqueFd pipe = take_pipe(files.paths());
  std::optional<steady_clock::time_point> away_since;
  bool is_new = true;  // plz-init may not have come to open the pipe yet: the engine is not asked at once
  for (milliseconds pause = kFirstPause;; pause = std::min(pause * 2, kLastPause)) {
    PLZ_ASSIGN(auto records, read_attempt_records(files.paths()));
    if (records.complete()) return {};
    if (stop.stop_requested()) return fail(no_longer_waiting(files));
    if (!pipe) {
      PLZ_ASSIGN(pipe, files.open_log_pipe());
    }
    if (ContainerFiles::has_writer(pipe.get())) {
      wait_for_hang_up(pipe.get(), wake.fd());
      is_new = false;
      pause = kFirstPause;
      continue;
    }
    if (is_new && pause < kPatienceWithNew) {
      pause_unless_woken(wake.fd(), pause);
      continue;
    }
    auto ended = look(files, note, pipe.get());
    if (ended && *ended) return {};
    if (ended) {
      away_since.reset();
    } else if (ended.error().code != ErrorCode::unavailable) {
      return fail(std::move(ended).error());
    } else if (steady_clock::now() - away_since.value_or(steady_clock::now()) > settings_.patience) {
      PLZ_TRY(files.drain(pipe.get()));
      return files.write_end(
          {OutcomeKind::lost, {}, {}, false, "its container ended, and the engine is away: " + ended.error().message});
    } else if (!away_since) {
      away_since = steady_clock::now();
    }
    pause_unless_woken(wake.fd(), pause);
  }
}

Result<bool> DockerRuntime::look(ContainerFiles& files, const ContainerNote& note, int pipe) {
  PLZ_ASSIGN(auto container, find_container(note));
  // Made, and not started: the engine was away when it was asked to.
  if (container && container->status == ContainerStatus::created && !files.has_begun()) {
    PLZ_TRY((*engine())->start_container(container->id));
    return false;
  }
  if (container && !is_over(container->status)) return false;
  PLZ_ASSIGN(auto records, read_attempt_records(files.paths()));
  if (records.complete()) return true;
  PLZ_TRY(files.drain(pipe));
  PLZ_TRY(files.write_end(outcome_without_record(container, files.has_begun())));
  return true;
}

Result<void> DockerRuntime::follow(ContainerFiles& files, const ContainerNote& note, std::stop_token stop) {
  PLZ_ASSIGN(Wake wake, Wake::make());
  std::stop_callback on_stop(stop, [&wake] { wake.wake(); });
  for (milliseconds pause = kFirstPause;;) {
    PLZ_ASSIGN(auto records, read_attempt_records(files.paths()));
    if (records.complete()) return {};
    if (stop.stop_requested()) return fail(no_longer_waiting(files));
    auto ended = follow_once(files, note, stop);
    if (ended && *ended) return {};
    if (!ended && ended.error().code != ErrorCode::unavailable) return fail(std::move(ended).error());
    pause_unless_woken(wake.fd(), pause);
    pause = std::min(pause * 2, kLastPause);
  }
}

// What the log has is passed over: the engine gives its own from the beginning.
Result<void> DockerRuntime::copy_engine_log(ContainerFiles& files, const ContainerNote& note, std::stop_token stop) {
  PLZ_ASSIGN(EngineClient * client, engine());
  PLZ_ASSIGN(UniqueFd log, open_file(files.paths().log(), O_WRONLY | O_CREAT | O_APPEND, 0600));
  PLZ_ASSIGN(uint64_t known, file_size(files.paths().log()));
  auto followed = client->follow_log(
      note.id,
      [&](std::string_view bytes) -> Result<void> {
        size_t skipped = std::min<uint64_t>(known, bytes.size());
        known -= skipped;
        return write_all(log.get(), bytes.substr(skipped));
      },
      stop);
  ErrorCode code = followed ? ErrorCode::internal : followed.error().code;
  if (code == ErrorCode::unavailable || code == ErrorCode::cancelled) return followed;
  if (followed || code == ErrorCode::not_found) return {};
  // A driver that cannot be read.
  PLZ_ASSIGN(uint64_t size, file_size(files.paths().log()));
  if (size == 0) PLZ_TRY(write_all(log.get(), fmt::format("plz: {}\n", followed.error().message)));
  PLZ_TRY(client->wait_container(note.id, stop));
  return {};
}

Result<bool> DockerRuntime::follow_once(ContainerFiles& files, const ContainerNote& note, std::stop_token stop) {
  PLZ_ASSIGN(auto before, find_container(note));
  if (before && before->status == ContainerStatus::created) return start_late(files, note);
  PLZ_TRY(copy_engine_log(files, note, stop));
  PLZ_ASSIGN(auto container, find_container(note));
  if (container && !is_over(container->status)) return false;
  // Docker gives a last line without its end only to who asks when all is over.
  PLZ_TRY(copy_engine_log(files, note, stop));
  PLZ_TRY(files.write_end(outcome_by_engine(container)));
  return true;
}

Result<bool> DockerRuntime::start_late(ContainerFiles& files, const ContainerNote& note) {
  Outcome outcome{OutcomeKind::could_not_start, 128 + SIGTERM, {}, false, "stopped before it started"};
  if (!files.was_asked_to_stop()) {
    auto started = (*engine())->start_container(note.id);
    if (started) return false;
    auto refusal = outcome_of_refusal(started.error());
    if (!refusal) return fail(std::move(started).error());
    outcome = std::move(*refusal);
  }
  PLZ_TRY(files.write_end(outcome));
  return true;
}

// Root needs nothing given; for others plz-init has done it, unless it had no right to, or was killed.
Result<void> DockerRuntime::give_back(const ContainerFiles& files, const ContainerNote& note, std::stop_token stop) {
  if (geteuid() == 0) return {};
  auto records = read_attempt_records(files.paths());
  if (records && records->exit)
    if (auto given = records->exit->find(init::kKeyGivenBack); given != records->exit->end() && given->second == "1")
      return {};
  auto status = run_give_back(files, note, std::move(stop));
  if (!status && status.error().code == ErrorCode::cancelled) return fail(std::move(status).error());
  if (!status) log_warning("what {} wrote may belong to another user: {}", note.name, status.error().message);
  else if (*status != 0) log_warning("not all of what {} wrote could be given to this user", note.name);
  return {};
}

Result<int> DockerRuntime::run_give_back(const ContainerFiles& files, const ContainerNote& note, std::stop_token stop) {
  PLZ_ASSIGN(EngineClient * client, engine());
  // Labelled as the job's own: whoever collects what a crash left behind finds it.
  Labels labels = {
      {kLabelController, settings_.controller}, {kLabelAttempt, note.attempt}, {kLabelExecution, note.execution}};
  ContainerNote helper = note;
  helper.name += "-give-back";
  PLZ_ASSIGN(helper.id, create(helper, plan_give_back(note.image, files.paths(), places(files), labels)));
  auto started = client->start_container(helper.id);
  Result<int> status = started ? client->wait_container(helper.id, std::move(stop)) : fail(started.error());
  if (auto removed = remove_container_of(helper); !removed) log_warning("{}", removed.error().message);
  return status;
}

}  // namespace plz
