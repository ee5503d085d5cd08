// What only a worker says to the controller.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "net/http_client.h"
#include "wire/worker_api.h"

namespace plz {

// One connection. Not thread-safe, but cancel() is. All calls may be repeated without harm.
class WorkerClient {
 public:
  explicit WorkerClient(Endpoint endpoint, ClientSettings settings = {});
  ~WorkerClient();

  Result<WorkerRegistered> register_worker(const WorkerRegistration& registration);
  Result<WorkerOrders> poll(InstanceId instance, std::chrono::seconds wait);
  Result<void> started(AttemptId attempt, Timestamp time);
  // How much of the log the controller has.
  Result<uint64_t> log_size(AttemptId attempt);
  // Returns the controller's size afterwards, which differs from offset + bytes if it already had
  // more or has less: go on from there.
  Result<uint64_t> append_log(AttemptId attempt, uint64_t offset, Timestamp time, std::string_view bytes);
  Result<void> measures(AttemptId attempt, const std::vector<MeasureEvent>& events);
  Result<void> command_ended(AttemptId attempt, Timestamp time);
  Result<void> finish(AttemptId attempt, const FinishReport& report);
  Result<void> output_captured(AttemptId attempt, std::string_view request_id, const CaptureReport& report);
  void cancel();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
