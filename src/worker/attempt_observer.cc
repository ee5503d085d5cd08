#include "worker/attempt_observer.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/threads.h"
#include "os/file.h"

namespace plz {
namespace {

using std::chrono::milliseconds;

constexpr size_t kEventsAReport = 2'000;
constexpr size_t kBytesAReport = 4u << 20;
// As many measures as this travel with the report of the end.
constexpr size_t kLastBytes = 1u << 20;
// A job that is over sooner is not watched: the report of its end says all of it, and to close an
// inotify descriptor takes the kernel some ten milliseconds.
constexpr milliseconds kSettlingTime{30};
constexpr milliseconds kShortestRest{2};
constexpr milliseconds kGathering{3};
// Bytes that arrive by splice(2) do not wake inotify before Linux 6.6: the log's size is looked at.
constexpr milliseconds kLongestRest{50};

}  // namespace

AttemptObserver::AttemptObserver(AttemptId attempt, const AttemptPaths& paths, const std::string& measure_log,
                                 std::vector<MeasureRoot> roots, const MeasureLimits& limits, bool recovered,
                                 LogShipper& preparation, Connections& connections, const Clock& clock)
    : attempt_(attempt),
      paths_(paths),
      connections_(connections),
      clock_(clock),
      preparation_(preparation),
      log_(attempt, AttemptLog::job, paths.log(), recovered, connections, clock),
      measures_(measure_log),
      collector_(paths.measures(), std::move(roots), measures_, clock, limits) {}

void AttemptObserver::begin(std::optional<AttemptMoment> started) {
  auto opened =
      measures_.open([&](const MeasureEvent& event, const MeasureStamp& stamp) { collector_.know(event, stamp); });
  // The job goes on, and so does its log; each flush tries again.
  if (!opened) log_warning("attempt {}: {}", attempt_.to_string(), opened.error().message);
  started_ = std::move(started);
  begun_ = clock_.steady();
  wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  // What is not shipped meanwhile is shipped at the end.
  auto thread = start_jthread([this](const std::stop_token& stop) { run(stop); });
  if (thread) thread_ = std::move(*thread);
  else log_warning("attempt {}: {}", attempt_.to_string(), thread.error().message);
}

void AttemptObserver::abandon() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

void AttemptObserver::run(const std::stop_token& stop) {
  milliseconds pause = kShortestRest;
  Backoff backoff = connections_.backoff();
  while (!stop.stop_requested()) {
    if (clock_.steady() - begun_ >= kSettlingTime) watch();
    const uint64_t before = log_.shipped();
    auto sent = log_.ship_piece();
    bool sent_measures = tell_some();
    if (!sent) {
      wait_unless_stopped(stop, backoff.next());
    } else if (*sent || sent_measures || collector_.is_behind()) {
      pause = kShortestRest;
      // A job that writes many lines causes a few requests, not one for each.
      if (log_.shipped() - before < kLogPieceBytes / 8) wait_unless_stopped(stop, kGathering);
    } else {
      rest(stop, pause);
      pause = std::min(2 * pause, kLongestRest);
    }
  }
}

void AttemptObserver::watch() {
  if (!std::exchange(is_watching_, true)) collector_.watch();
  if (!log_is_watched_ && path_exists(paths_.log())) {
    collector_.watch_file(paths_.log());
    log_is_watched_ = true;
  }
  if (started_) tell_start();
  auto collected = collector_.collect();
  if (!collected && !std::exchange(has_complained_, true))
    log_warning("attempt {}: measures: {}", attempt_.to_string(), collected.error().message);
  if (collected) has_complained_ = false;
}

// Sleeps, but not on when something happens.
void AttemptObserver::rest(const std::stop_token& stop, milliseconds time) {
  pollfd events[] = {{wake_.get(), POLLIN, 0}, {collector_.watch_fd(), POLLIN, 0}};
  if (!stop.stop_requested()) poll(events, 2, static_cast<int>(time.count()));
}

// The controller takes no more of it once the job has started. False: not now.
bool AttemptObserver::send_preparation() {
  for (;;) {
    auto sent = preparation_.ship_piece();
    if (!sent) return !is_temporary(sent.error().code);
    if (!*sent) return true;
  }
}

void AttemptObserver::tell_start() {
  if (!send_preparation()) return;
  auto told = connections_.call([&](WorkerApi& api) { return api.started(attempt_, *started_); });
  if (told || !is_temporary(told.error().code)) started_.reset();
}

bool AttemptObserver::tell_some() {
  if (measures_.all_taken()) return false;
  auto events = measures_.next(kEventsAReport, kBytesAReport);
  if (!events || events->empty()) return false;
  auto told = connections_.call([&](WorkerApi& api) { return api.measures(attempt_, *events); });
  if (told) measures_.taken();
  return told.has_value();
}

Result<void> AttemptObserver::send_log(const std::stop_token& stop, StoragePatience& patience) {
  auto sent = log_.ship_rest(stop, patience);
  if (sent || sent.error().code != ErrorCode::invalid) return sent;
  log_bytes_not_taken_ = log_.unshipped();
  not_taken_ =
      fmt::format("the last {} bytes of its log were not stored: {}", log_bytes_not_taken_, sent.error().message);
  return {};
}

Result<std::vector<MeasureEvent>> AttemptObserver::end(const std::stop_token& stop, StoragePatience& patience) {
  abandon();
  auto collected = collector_.collect_rest(stop);
  if (!collected && collected.error().code == ErrorCode::cancelled) return fail(std::move(collected).error());
  if (!collected) log_warning("attempt {}: measures: {}", attempt_.to_string(), collected.error().message);
  PLZ_TRY(send_log(stop, patience));
  std::vector<MeasureEvent> last;
  PLZ_TRY(send_measures_but_last(stop, patience, last));
  return last;
}

// invalid, when the patience is over.
Result<void> AttemptObserver::send(const std::vector<MeasureEvent>& events, const std::stop_token& stop,
                                   StoragePatience& patience) {
  Backoff backoff = connections_.backoff();
  for (;;) {
    auto sent = connections_.call([&](WorkerApi& api) { return api.measures(attempt_, events); });
    if (sent) patience.renew();
    if (sent || !is_temporary(sent.error().code)) return sent;
    if (patience.is_over()) return fail(ErrorCode::invalid, sent.error().message);
    if (!wait_unless_stopped(stop, backoff.next())) return fail(ErrorCode::cancelled, "the worker is ending");
  }
}

Result<void> AttemptObserver::send_measures_but_last(const std::stop_token& stop, StoragePatience& patience,
                                                     std::vector<MeasureEvent>& last) {
  size_t refused = 0;
  for (;;) {
    auto next = measures_.next(kEventsAReport, kBytesAReport);
    if (!next) {
      log_error("attempt {}: {}", attempt_.to_string(), next.error().message);
      return {};
    }
    last = std::move(*next);
    size_t bytes = 0;
    for (const auto& event : last) bytes += event.value.text.size() + event.path.size();
    measures_.taken();
    if (measures_.all_taken() && bytes <= kLastBytes) return {};
    auto sent = send(last, stop, patience);
    if (!sent && (sent.error().code == ErrorCode::not_found || sent.error().code == ErrorCode::cancelled)) return sent;
    if (!sent) {
      log_error("attempt {}: {} measures were refused: {}", attempt_.to_string(), last.size(), sent.error().message);
      refused += last.size();
      const std::string words = fmt::format("{} measures were not stored: {}", refused, sent.error().message);
      if (log_bytes_not_taken_ == 0) not_taken_ = words;
    }
    last.clear();
    if (measures_.all_taken()) return {};
  }
}

Result<void> AttemptObserver::send_log_again(const std::stop_token& stop, StoragePatience& patience) {
  log_.forget_position();
  return send_log(stop, patience);
}

}  // namespace plz
