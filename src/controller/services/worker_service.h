// Instances, the workers that speak for them, and the orders that wait to be fetched by them.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controller/notifier.h"
#include "controller/services/execution_service.h"
#include "db/database.h"
#include "logs/log_store.h"
#include "wire/collection_json.h"
#include "wire/instance_json.h"
#include "wire/worker_api.h"

namespace plz {

// Thread-safe.
class WorkerService {
 public:
  WorkerService(Database& database, ExecutionService& executions, LogStore& logs, Notifier& notifier, EventLog& events,
                const Clock& clock, std::string images_repository);

  Result<void> load();

  // An instance was asked for; its worker has not dialled in.
  Result<void> expect(const Instance& instance);
  // Hands out again what the worker does not know of, and finishes as lost what it should know of.
  Result<WorkerRegistered> register_worker(const WorkerRegistration& registration);
  // What waits for this worker, taken; nullopt: nothing yet. not_found: it must register (again).
  Result<std::optional<WorkerOrders>> take_orders(InstanceId id);

  Result<void> assign(InstanceId id, Assignment assignment);  // images_repository is filled in here
  void order_stop(const Execution& execution, std::chrono::milliseconds grace);
  // The answer comes through `answer`, which is called once, from another thread.
  Result<void> order_capture(const Execution& execution, std::function<void(CaptureReport)> answer);
  void answer_capture(const std::string& request_id, CaptureReport report);
  // In the same way; `request_id` of the order is filled in here, and returned. unavailable: the instance's
  // worker is not there.
  Result<std::string> order_collection(InstanceId id, CollectionOrder order,
                                       std::function<void(WorkerCollection)> answer);
  void answer_collection(const std::string& request_id, WorkerCollection collection);
  void forget_collection(const std::string& request_id);  // nobody waits for it any more

  // Reports of attempts. Repeated ones are harmless.
  Result<void> started(AttemptId id, const AttemptMoment& moment);
  Result<void> command_ended(AttemptId id, Timestamp time);
  Result<void> measures(AttemptId id, const std::vector<MeasureEvent>& events);
  Result<void> finish(AttemptId id, const FinishReport& report);

  // Those that are not gone, with what they run.
  std::vector<Instance> instances() const;
  Result<KillAnswer> kill(const KillRequest& request);
  // Tells every worker to end; for idle exit.
  void shut_down_workers();
  // The provider says it is gone: its executions are lost, for this reason.
  void lose(InstanceId id, const std::string& reason);

 private:
  struct Capture {
    AttemptId attempt;
    std::function<void(CaptureReport)> answer;
  };
  Result<void> seal_preparation_log(AttemptId id, const Execution& execution);
  Result<void> finish_lost(const Execution& execution, const std::string& reason);
  Result<void> save(const Instance& instance);
  void post(InstanceId id, const std::function<void(WorkerOrders&)>& add);
  std::optional<std::string> refusal(const Instance& instance, const KillRequest& request) const;
  void end_instance(const Instance& instance, const std::string& reason);
  std::string why_ended(InstanceId instance) const;

  Database& database_;
  ExecutionService& executions_;
  LogStore& logs_;
  Notifier& notifier_;
  EventLog& events_;
  const Clock& clock_;
  const std::string images_repository_;
  mutable std::mutex mutex_;  // guards what follows; never held across a call elsewhere
  std::map<InstanceId, Instance> instances_;
  std::map<InstanceId, std::string> why_ended_;  // of those that were ended while they ran something
  std::unordered_map<InstanceId, WorkerOrders> orders_;
  std::unordered_map<std::string, Capture> captures_;
  std::unordered_map<std::string, std::function<void(WorkerCollection)>> collections_;
};

}  // namespace plz
