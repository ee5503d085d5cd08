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
#include "wire/collection_json.h"
#include "wire/instance_json.h"
#include "wire/worker_api.h"

namespace plz {

// Thread-safe.
class WorkerService {
 public:
  WorkerService(Database& database, ExecutionService& executions, Notifier& notifier, EventLog& events,
                const Clock& clock, std::string images_repository);

  Result<void> load();

  // An instance was asked for; its worker has not dialled in.
  Result<void> expect(const Instance& instance);
  // Hands out again what the worker does not know of, and finishes as lost what it should know of. What it has in
  // hand becomes this instance's, whichever had it before: the same machine may come back as another instance. One
  // that was ended stays so: its worker is told to end once it has finished what it has in hand.
  Result<WorkerRegistered> register_worker(const WorkerRegistration& registration);
  // A poll names the registration it belongs to, so that one that a dead worker has left behind takes nothing
  // from the worker after it. not_found: it must register (again).
  Result<uint64_t> registration_of(InstanceId id) const;
  // What waits for this worker, taken; nullopt: nothing yet. not_found: it has registered anew since, or must.
  Result<std::optional<WorkerOrders>> take_orders(InstanceId id, uint64_t registration);

  // images_repository is filled in here. conflict: the instance has been ended meanwhile.
  Result<void> assign(InstanceId id, Assignment assignment);
  void order_stop(const Execution& execution, std::chrono::milliseconds grace);
  void repeat_stop(const Execution& execution);  // with the grace that was asked for
  // The answer comes through `answer`, which is called once, from another thread.
  Result<void> order_capture(const Execution& execution, std::function<void(CaptureReport)> answer);
  void answer_capture(const std::string& request_id, CaptureReport report);
  // In the same way; `request_id` of the order is filled in here, and returned. unavailable: the instance's
  // worker is not there.
  Result<std::string> order_collection(InstanceId id, CollectionOrder order,
                                       std::function<void(WorkerCollection)> answer);
  // What these left on their instances since it could not be stored: they are gone.
  void order_removal_of_outputs(const std::vector<Execution>& executions);
  void answer_collection(const std::string& request_id, WorkerCollection collection);
  void forget_collection(const std::string& request_id);  // nobody waits for it any more

  // Its worker has reported the end; captures of its output that wait are refused with these words.
  void attempt_ended(const Attempt& attempt, const std::string& why_no_capture);
  std::string why_ended(InstanceId instance) const;  // "" unless it was ended while it ran something

  // Those that are not gone, with what they run.
  std::vector<Instance> instances() const;
  // Workers of another version than this, each told of once.
  std::vector<Instance> take_outdated(const std::string& version);
  Result<KillAnswer> kill(const KillRequest& request);
  // Tells every worker to end; for idle exit.
  void shut_down_workers();
  // Finishes what instances had that were ended, once their workers have been silent for a while; so, too, those
  // that were never heard of again since another instance has their machine.
  void lose_abandoned();

 private:
  struct Capture {
    AttemptId attempt;
    std::function<void(CaptureReport)> answer;
  };
  struct Mailbox {
    uint64_t registration = 0;  // counts up
    WorkerOrders orders;
  };
  struct Collecting {
    InstanceId instance;
    CollectionOrder order;  // which is given again to a worker that registers again before it has answered
    std::function<void(WorkerCollection)> answer;
  };
  // What a worker that registers has to be told of, and what must end since it lacks it.
  struct Reunion {
    WorkerOrders orders;
    std::vector<Execution> lost;
    std::vector<Execution> stopped;  // before they were started
    std::vector<AttemptId> forget;
  };
  void open_mailbox(InstanceId id);
  Result<Reunion> reunion_with(const WorkerRegistration& registration, InstanceId id, bool was_ended);
  Instance enter(const WorkerRegistration& registration, InstanceId id, bool was_ended);
  Result<bool> is_gone(InstanceId id) const;
  // The attempts that this worker has in hand, of other instances.
  Result<void> adopt(const WorkerRegistration& registration, InstanceId id);
  // Why nobody will tell of what this instance has in hand; nullopt: somebody may.
  std::optional<std::string> why_abandoned(InstanceId id) const;
  void deliver(InstanceId id, WorkerOrders orders);
  std::chrono::milliseconds grace_of(AttemptId id) const;
  // Whoever waits for its output as it is now learns that it is not to be had any more.
  void refuse_captures(AttemptId id, const std::string& reason);
  void forget_attempt(AttemptId id, const std::string& why_no_capture);
  Result<void> finish_lost(const Execution& execution, const std::string& reason);
  Result<void> finish_without_worker(const Execution& execution, OutcomeKind kind, const std::string& reason);
  Result<void> save(const Instance& instance);
  void post(InstanceId id, const std::function<void(WorkerOrders&)>& add);
  std::optional<std::string> refusal(const Instance& instance, const KillRequest& request) const;
  void end_instance(const Instance& instance, const std::string& reason);

  Database& database_;
  ExecutionService& executions_;
  Notifier& notifier_;
  EventLog& events_;
  const Clock& clock_;
  const std::string images_repository_;
  const Timestamp began_;
  mutable std::mutex mutex_;  // guards what follows; never held across a call elsewhere
  std::map<InstanceId, Instance> instances_;
  std::map<InstanceId, std::string> versions_;   // of the workers that have registered
  std::map<InstanceId, std::string> why_ended_;  // of those that were ended while they ran something
  std::unordered_map<InstanceId, Mailbox> mailboxes_;
  std::unordered_map<AttemptId, std::chrono::milliseconds> graces_;  // of those that were asked to stop
  std::unordered_map<std::string, Capture> captures_;
  std::unordered_map<std::string, Collecting> collections_;
};

}  // namespace plz
