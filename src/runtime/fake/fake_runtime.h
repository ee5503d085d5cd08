// A runtime in memory, for tests of what uses one: nothing runs, a script says what each job would do.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/runtime.h"

namespace plz {

// What a job does.
struct FakeJob {
  std::optional<Error> start_error;               // set: it is not even started
  std::string log;                                // written to the attempt's log when it starts
  std::function<void(const LaunchSpec&)> effect;  // then called: writes output and measures
  bool ends_by_itself = true;                     // false: it runs until finish() or stop()
  Outcome outcome{OutcomeKind::succeeded, 0};
  bool ignores_stop = false;  // it does not end when asked to; finish() ends it
};

// Thread-safe. Stands for the machine, not for one worker's life: a test hands the same one to the next
// worker, as recover() is about.
class FakeRuntime final : public Runtime {
 public:
  using Script = std::function<FakeJob(const LaunchSpec&)>;

  // `clock` gives the times of reports and must outlive this. Without a script every job succeeds.
  // Named "docker" it is one for containers.
  explicit FakeRuntime(const Clock& clock, Script script = {}, std::string name = "fake");

  RuntimeFingerprint fingerprint() override;
  RuntimeFingerprint full_fingerprint() override;  // its detail: "in full"
  std::string job_path(const AttemptPaths& paths, std::string_view which) const override;
  WorkingCopy working_copy(const AttemptPaths& paths) const override;
  Result<void> start(const LaunchSpec& spec) override;
  Result<AttemptPhase> recover(const AttemptPaths& paths) override;
  Result<ExitReport> wait(const AttemptPaths& paths, std::stop_token stop) override;
  Result<void> stop(const AttemptPaths& paths, std::chrono::milliseconds grace) override;
  Result<void> destroy(const AttemptPaths& paths) override;

  // For the test.
  void finish(const AttemptPaths& paths, Outcome outcome);           // a job that runs ends so
  void write_log(const AttemptPaths& paths, std::string_view text);  // appended
  void fail_stops(int times);                                        // the next ones are `unavailable`
  void be_absent(std::string why);                                   // from now on it is not available
  void forget_stops();                                               // for stop_asked()
  std::vector<LaunchSpec> started() const;                           // in order
  std::vector<std::string> destroyed() const;                        // attempt directories
  std::optional<std::chrono::milliseconds> stop_asked(const AttemptPaths& paths) const;

 private:
  struct Attempt {
    FakeJob job;
    ExitReport report;
    AttemptPhase phase = AttemptPhase::running;
    bool is_destroyed = false;  // then it can be started once more
    std::optional<std::chrono::milliseconds> grace;
  };
  void end(Attempt& attempt, Outcome outcome);

  const Clock& clock_;
  const Script script_;
  const std::string name_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Attempt> attempts_;  // by directory
  std::vector<LaunchSpec> started_;
  std::vector<std::string> destroyed_;
  int stops_to_fail_ = 0;
  std::optional<std::string> absent_;  // why
};

}  // namespace plz
