// What only a worker says to the controller.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "net/http_client.h"
#include "wire/collection_json.h"
#include "wire/worker_api.h"

namespace plz {

// An attempt's logs: what its job prints, and what was printed while its environment was prepared.
enum class AttemptLog { job, preparation };

// One connection. Not thread-safe, but cancel() is. All calls may be repeated without harm, but for
// poll(): orders that were on their way when the connection broke are told again only after the next
// registration. not_found: the controller does not know the attempt, or the instance.
class WorkerApi {
 public:
  virtual ~WorkerApi() = default;
  virtual Result<WorkerRegistered> register_worker(const WorkerRegistration& registration) = 0;
  virtual Result<WorkerOrders> poll(InstanceId instance, std::chrono::seconds wait) = 0;
  virtual Result<void> started(AttemptId attempt, const AttemptMoment& moment) = 0;
  // How much of the log the controller has.
  virtual Result<uint64_t> log_size(AttemptId attempt, AttemptLog log) = 0;
  // Returns the controller's size afterwards, which differs from offset + bytes if it already had
  // more or has less: go on from there.
  virtual Result<uint64_t> append_log(AttemptId attempt, AttemptLog log, uint64_t offset, Timestamp time,
                                      std::string_view bytes) = 0;
  virtual Result<void> measures(AttemptId attempt, const std::vector<MeasureEvent>& events) = 0;
  virtual Result<void> command_ended(AttemptId attempt, Timestamp time) = 0;
  // What keeps it from going on; the start, or the end, says that it does.
  virtual Result<void> waiting(AttemptId attempt, const std::string& waiting_for) = 0;
  virtual Result<void> finish(AttemptId attempt, const FinishReport& report) = 0;
  virtual Result<void> output_captured(AttemptId attempt, std::string_view request_id, const CaptureReport& report) = 0;
  virtual Result<void> collected(InstanceId instance, std::string_view request_id,
                                 const WorkerCollection& collection) = 0;
  // Ends a call that is under way, and every later one.
  virtual void cancel() = 0;
};

class WorkerClient final : public WorkerApi {
 public:
  explicit WorkerClient(Endpoint endpoint, ClientSettings settings = {});
  ~WorkerClient() override;

  Result<WorkerRegistered> register_worker(const WorkerRegistration& registration) override;
  Result<WorkerOrders> poll(InstanceId instance, std::chrono::seconds wait) override;
  Result<void> started(AttemptId attempt, const AttemptMoment& moment) override;
  Result<uint64_t> log_size(AttemptId attempt, AttemptLog log) override;
  Result<uint64_t> append_log(AttemptId attempt, AttemptLog log, uint64_t offset, Timestamp time,
                              std::string_view bytes) override;
  Result<void> measures(AttemptId attempt, const std::vector<MeasureEvent>& events) override;
  Result<void> command_ended(AttemptId attempt, Timestamp time) override;
  Result<void> waiting(AttemptId attempt, const std::string& waiting_for) override;
  Result<void> finish(AttemptId attempt, const FinishReport& report) override;
  Result<void> output_captured(AttemptId attempt, std::string_view request_id, const CaptureReport& report) override;
  Result<void> collected(InstanceId instance, std::string_view request_id, const WorkerCollection& collection) override;
  void cancel() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
