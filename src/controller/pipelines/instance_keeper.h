// Keeps the instances that are wanted: asks the provider for one when executions are queued and there
// is none, starts a local worker again that died or is of another version, and ends what those had that are gone.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "controller/services/execution_service.h"
#include "controller/services/worker_service.h"
#include "provider/provider.h"

namespace plz {

class InstanceKeeper {
 public:
  InstanceKeeper(Provider& provider, ExecutionService& executions, WorkerService& workers, const Clock& clock,
                 std::string version);
  ~InstanceKeeper();
  void start(std::chrono::milliseconds period = std::chrono::milliseconds(500));
  void stop();
  // Why there is no instance, in the provider's words; "": nothing is known to be wrong. Thread-safe.
  using TellObstacle = std::function<void(const std::string& words)>;
  void tell_obstacles_to(TellObstacle tell) { tell_obstacle_ = std::move(tell); }
  // One look, at once; start() makes the first one before it returns.
  void run_once();

 private:
  void end_outdated_workers();
  void revive(const Instance& instance);
  void get_one();
  void note_obstacle(std::string words);

  Provider& provider_;
  ExecutionService& executions_;
  WorkerService& workers_;
  const Clock& clock_;
  const std::string version_;  // of this controller, whose workers are to have the same
  bool wanted_at_start_ = true;
  SteadyTime next_try_{};  // after a failure of the provider
  std::chrono::milliseconds back_off_{0};
  std::string obstacle_;
  TellObstacle tell_obstacle_;
  std::mutex mutex_;
  std::condition_variable_any tick_;
  std::jthread thread_;
};

}  // namespace plz
