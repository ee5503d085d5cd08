// Watches a running job on a thread of its own, and tells the controller: that it has started, its log,
// its measures.
#pragma once

#include <optional>
#include <stop_token>
#include <thread>

#include "os/fd.h"
#include "runtime/runtime.h"
#include "worker/steps/log_shipper.h"
#include "worker/steps/measure_collector.h"
#include "worker/steps/measure_log.h"

namespace plz {

// begin(), then end() or abandon(). Used by one thread, which is not its own.
class AttemptObserver {
 public:
  AttemptObserver(AttemptId attempt, const AttemptPaths& paths, const std::string& measure_log,
                  std::vector<MeasureRoot> roots, const MeasureLimits& limits, bool recovered, LogShipper& preparation,
                  Connections& connections, const Clock& clock);
  ~AttemptObserver() { abandon(); }

  // `started`: what to tell the controller about the start, unless the job ends at once (the report of
  // its end says it as well). What is left of the preparation's log goes first.
  void begin(std::optional<AttemptMoment> started);
  // The job has ended: what is left is read and sent, for as long as that takes while the controller is away;
  // cancelled when `stop` asks. Returns the last measures that were not sent yet, for the report of the end to carry.
  Result<std::vector<MeasureEvent>> end(const std::stop_token& stop, StoragePatience& patience);
  // After end(): what of log and measures the controller did not take, a sentence's end; "": it has all.
  const std::string& not_taken() const { return not_taken_; }
  uint64_t log_bytes_not_taken() const { return log_bytes_not_taken_; }
  // Stops watching; nothing is lost.
  void abandon();

  // After end(): what of the measures was not kept, and why; "": all was.
  std::string measures_left_out() const { return collector_.left_out(); }
  // After end(): the controller lacks bytes of the log that it was thought to have.
  Result<void> send_log_again(const std::stop_token& stop, StoragePatience& patience);
  uint64_t log_bytes() const { return log_.shipped(); }
  // After the report: gives back descriptors, which may take a while.
  void release() { collector_.stop_watching(); }

 private:
  void run(const std::stop_token& stop);
  void watch();
  void tell_start();
  bool send_preparation();
  bool tell_some();
  void rest(const std::stop_token& stop, std::chrono::milliseconds time);
  Result<void> send_log(const std::stop_token& stop, StoragePatience& patience);
  Result<void> send_measures_but_last(const std::stop_token& stop, StoragePatience& patience,
                                      std::vector<MeasureEvent>& last);
  Result<void> send(const std::vector<MeasureEvent>& events, const std::stop_token& stop, StoragePatience& patience);

  const AttemptId attempt_;
  const AttemptPaths paths_;
  Connections& connections_;
  const Clock& clock_;
  LogShipper& preparation_;
  LogShipper log_;
  MeasureLog measures_;
  MeasureCollector collector_;
  std::optional<AttemptMoment> started_;
  SteadyTime begun_;
  bool is_watching_ = false;
  bool has_complained_ = false;  // of measures that cannot be kept, and not succeeded since
  bool log_is_watched_ = false;
  std::string not_taken_;
  uint64_t log_bytes_not_taken_ = 0;
  UniqueFd wake_;
  std::jthread thread_;
};

}  // namespace plz
