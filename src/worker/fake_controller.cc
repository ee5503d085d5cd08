#include "worker/fake_controller.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "os/file.h"
#include "store/hasher.h"
#include "store/tree.h"

namespace plz::testing_worker {

using std::chrono::milliseconds;
using std::chrono::seconds;

// In memory where that can be had: thousands of small files take seconds on a busy disk.
std::string in_memory() { return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; }

void write_text(const std::string& path, std::string_view text) {
  ASSERT_TRUE(make_directories(parent_path(path)));
  auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_TRUE(write_all(file->get(), text));
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 90'000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(1));
  return condition();
}

class FakeController::Api final : public WorkerApi {
 public:
  explicit Api(FakeController& controller) : c_(controller) {
    std::lock_guard lock(c_.mutex_);
    breaks_ = c_.breaks_;
  }

  Result<WorkerRegistered> register_worker(const WorkerRegistration& registration) override {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(enter("register"));
    c_.registrations_.push_back(registration);
    WorkerRegistered answer;
    answer.instance_id = registration.instance_id.value_or(*InstanceId::parse("019aab9e-3c6f-7d52-9d0f-000000000005"));
    for (AttemptId attempt : registration.attempts)
      if (c_.forgotten_.contains(attempt)) answer.forget.push_back(attempt);
    c_.changed_.notify_all();
    return answer;
  }

  Result<WorkerOrders> poll(InstanceId, seconds wait) override {
    std::unique_lock lock(c_.mutex_);
    PLZ_TRY(enter("poll"));
    auto something = [&] {
      const auto& o = c_.orders_;
      return cancelled_ || c_.away_ || c_.breaks_ != breaks_ || o.shut_down ||
             !(o.assignments.empty() && o.stops.empty() && o.captures.empty() && o.collections.empty());
    };
    c_.changed_.wait_for(lock, wait, something);
    if (cancelled_) return fail(ErrorCode::cancelled, "cancelled");
    // Also a break between two polls is noticed, at the next.
    if (c_.away_ || std::exchange(breaks_, c_.breaks_) != c_.breaks_)
      return fail(ErrorCode::unavailable, "the controller is away");
    return std::exchange(c_.orders_, {});
  }

  Result<void> started(AttemptId attempt, const AttemptMoment& moment) override {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(enter("started"));
    c_.started_.emplace(attempt, moment);
    c_.changed_.notify_all();
    return {};
  }
  Result<void> command_ended(AttemptId, Timestamp) override { return simple("command_ended"); }
  Result<void> waiting(AttemptId attempt, const std::string& waiting_for) override {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(enter("waiting"));
    c_.waits_[attempt].push_back(waiting_for);
    return {};
  }

  Result<uint64_t> log_size(AttemptId attempt, AttemptLog which) override {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(enter("log_size"));
    return log_of(attempt, which).size();
  }

  Result<uint64_t> append_log(AttemptId attempt, AttemptLog which, uint64_t offset, Timestamp,
                              std::string_view bytes) override {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(enter("append_log"));
    std::string& log = log_of(attempt, which);
    if (which == AttemptLog::preparation && (c_.started_.contains(attempt) || c_.finished_.contains(attempt)))
      return log.size();  // sealed
    if (offset != log.size()) return log.size();
    log += bytes;
    c_.changed_.notify_all();
    return log.size();
  }

  Result<void> measures(AttemptId attempt, const std::vector<MeasureEvent>& events) override {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(enter("measures"));
    keep(attempt, events);
    return {};
  }

  Result<void> finish(AttemptId attempt, const FinishReport& report) override {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(enter("finish"));
    if (c_.logs_[attempt].size() < report.log_bytes) return fail(ErrorCode::conflict, "the log lacks bytes");
    keep(attempt, report.measures);
    c_.finished_.emplace(attempt, report);
    ++c_.finishes_[attempt];
    c_.changed_.notify_all();
    return {};
  }

  Result<void> output_captured(AttemptId, std::string_view request_id, const CaptureReport& report) override {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(enter("output_captured"));
    c_.captures_[std::string(request_id)] = report;
    return {};
  }

  Result<void> collected(InstanceId, std::string_view request_id, const WorkerCollection& collection) override {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(enter("collected"));
    c_.collections_[std::string(request_id)] = collection;
    return {};
  }

  void cancel() override {
    c_.change([&] { cancelled_ = true; });
  }

 private:
  Result<void> enter(const std::string& call) {
    if (cancelled_) return fail(ErrorCode::cancelled, "cancelled");
    return c_.enter(call);
  }
  Result<void> simple(const std::string& call) {
    std::lock_guard lock(c_.mutex_);
    return enter(call);
  }
  std::string& log_of(AttemptId attempt, AttemptLog which) {
    return which == AttemptLog::job ? c_.logs_[attempt] : c_.preparation_logs_[attempt];
  }
  void keep(AttemptId attempt, const std::vector<MeasureEvent>& events) {
    for (const auto& event : events) {
      auto [known, is_new] = c_.measures_[attempt].emplace(event.sequence, event);
      EXPECT_TRUE(is_new || known->second == event) << "a number was used twice: " << event.sequence;
    }
    c_.changed_.notify_all();
  }

  FakeController& c_;
  bool cancelled_ = false;  // guarded by c_.mutex_
  uint64_t breaks_ = 0;
};

class FakeController::Source final : public BlobSource {
 public:
  explicit Source(FakeController& controller, std::stop_token stop = {}) : c_(controller), stop_(std::move(stop)) {}
  Result<void> fetch(std::span<const Digest> digests, const Receive& receive) override {
    {
      std::unique_lock lock(c_.mutex_);
      PLZ_TRY(c_.enter("fetch"));
      c_.changed_.wait(lock, stop_, [&] { return !c_.holds_fetches_; });
      if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
    }
    return c_.store_.fetch(digests, receive);
  }

 private:
  FakeController& c_;
  const std::stop_token stop_;
};

std::unique_ptr<BlobSource> FakeController::blobs_until(std::stop_token stop) {
  return std::make_unique<Source>(*this, std::move(stop));
}

class FakeController::Sink final : public BlobSink {
 public:
  Sink(FakeController& controller, LeaseId lease) : c_(controller), lease_(lease) {}
  Result<std::vector<bool>> missing(std::span<const Digest> digests) override {
    PLZ_TRY(allowed("missing"));
    return c_.store_.missing(digests);
  }
  Result<void> send_pack(std::string pack) override {
    PLZ_TRY(allowed("send_pack"));
    {
      std::lock_guard lock(c_.mutex_);
      c_.leases_.push_back(lease_);
    }
    return c_.store_.send_pack(std::move(pack));
  }

 private:
  Result<void> allowed(const std::string& call) {
    std::lock_guard lock(c_.mutex_);
    PLZ_TRY(c_.enter(call));
    if (c_.sink_error_) return fail(*c_.sink_error_);
    return {};
  }
  FakeController& c_;
  const LeaseId lease_;
};

FakeController::FakeController() : source_(std::make_unique<Source>(*this)) {}
FakeController::~FakeController() = default;

std::unique_ptr<WorkerApi> FakeController::connect() { return std::make_unique<Api>(*this); }
std::unique_ptr<BlobSink> FakeController::capture_sink(LeaseId lease) { return std::make_unique<Sink>(*this, lease); }

Result<void> FakeController::enter(const std::string& call) {
  ++counts_[call];
  if (away_) return fail(ErrorCode::unavailable, "the controller is away");
  auto failure = failures_.find(call);
  if (failure == failures_.end() || failure->second.second == 0) return {};
  --failure->second.second;
  return fail(failure->second.first, call + " fails");
}

template <typename Change>
void FakeController::change(Change change) {
  std::lock_guard lock(mutex_);
  change();
  changed_.notify_all();
}

Digest FakeController::put_tree(const std::map<std::string, std::string>& files) {
  Tree tree;
  for (const auto& [name, content] : files) {
    TreeEntry entry;
    entry.name = name;
    entry.bytes = content.size();
    entry.digest = store_.put(content);
    tree.entries.push_back(entry);
  }
  return store_.put(encode_tree(tree));
}

void FakeController::give(Assignment assignment) {
  change([&] { orders_.assignments.push_back(std::move(assignment)); });
}
void FakeController::order_stop(AttemptId attempt, int64_t grace) {
  change([&] { orders_.stops.push_back({attempt, grace}); });
}
void FakeController::order_capture(AttemptId attempt, std::string request_id) {
  change([&] { orders_.captures.push_back({attempt, std::move(request_id)}); });
}
void FakeController::order_collection(CollectionOrder order) {
  change([&] { orders_.collections.push_back(std::move(order)); });
}
void FakeController::shut_down() {
  change([&] { orders_.shut_down = true; });
}
void FakeController::forget(AttemptId attempt) {
  change([&] { forgotten_.insert(attempt); });
}
void FakeController::set_away(bool away) {
  change([&] { away_ = away; });
}
void FakeController::set_sink_error(std::optional<Error> error) {
  change([&] { sink_error_ = std::move(error); });
}
void FakeController::fail_next(const std::string& call, ErrorCode code, int times) {
  change([&] { failures_[call] = {code, times}; });
}
void FakeController::hold_fetches() {
  change([&] { holds_fetches_ = true; });
}
void FakeController::release_fetches() {
  change([&] { holds_fetches_ = false; });
}
void FakeController::connection_breaks() {
  change([&] { ++breaks_; });
}
void FakeController::cut_log(AttemptId attempt, size_t bytes) {
  change([&] { logs_[attempt].resize(bytes); });
}

std::optional<FinishReport> FakeController::finished(AttemptId attempt) {
  std::lock_guard lock(mutex_);
  auto found = finished_.find(attempt);
  return found == finished_.end() ? std::nullopt : std::optional(found->second);
}

FinishReport FakeController::wait_for_finish(AttemptId attempt) {
  EXPECT_TRUE(eventually([&] { return finished(attempt).has_value(); })) << "the attempt does not end";
  return finished(attempt).value_or(FinishReport{});
}

std::string FakeController::log(AttemptId attempt) {
  std::lock_guard lock(mutex_);
  return logs_[attempt];
}
std::string FakeController::preparation_log(AttemptId attempt) {
  std::lock_guard lock(mutex_);
  return preparation_logs_[attempt];
}
std::optional<AttemptMoment> FakeController::started(AttemptId attempt) {
  std::lock_guard lock(mutex_);
  auto found = started_.find(attempt);
  return found == started_.end() ? std::nullopt : std::optional(found->second);
}
std::map<uint64_t, MeasureEvent> FakeController::measures(AttemptId attempt) {
  std::lock_guard lock(mutex_);
  return measures_[attempt];
}
std::map<std::string, WorkerCollection> FakeController::collections() {
  std::lock_guard lock(mutex_);
  return collections_;
}
std::vector<std::string> FakeController::waits(AttemptId attempt) {
  std::lock_guard lock(mutex_);
  return waits_[attempt];
}
std::map<std::string, CaptureReport> FakeController::captures() {
  std::lock_guard lock(mutex_);
  return captures_;
}
std::vector<LeaseId> FakeController::leases() {
  std::lock_guard lock(mutex_);
  return leases_;
}
std::vector<WorkerRegistration> FakeController::registrations() {
  std::lock_guard lock(mutex_);
  return registrations_;
}
size_t FakeController::count(const std::string& call) {
  std::lock_guard lock(mutex_);
  return counts_[call];
}
size_t FakeController::finishes(AttemptId attempt) {
  std::lock_guard lock(mutex_);
  return finishes_[attempt];
}

}  // namespace plz::testing_worker
