#include "controller/services/worker_service.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/log.h"

namespace plz {
namespace {

bool is_empty(const WorkerOrders& orders) {
  return orders.assignments.empty() && orders.stops.empty() && orders.captures.empty() && orders.collections.empty() &&
         !orders.shut_down;
}

constexpr std::chrono::milliseconds kDefaultGrace{10'000};
// A worker polls at least every half minute.
constexpr std::chrono::minutes kSilent{2};

}  // namespace

WorkerService::WorkerService(Database& database, ExecutionService& executions, Notifier& notifier, EventLog& events,
                             const Clock& clock, std::string images_repository)
    : database_(database),
      executions_(executions),
      notifier_(notifier),
      events_(events),
      clock_(clock),
      images_repository_(std::move(images_repository)),
      began_(clock.now()) {}

Result<void> WorkerService::load() {
  PLZ_ASSIGN(auto list, database_.instances().list(false));
  std::lock_guard lock(mutex_);
  for (auto& instance : list) instances_[instance.id] = instance;
  return {};
}

Result<void> WorkerService::save(const Instance& instance) {
  events_.append("instances", fmt::format("{{\"instance_id\": \"{}\", \"state\": \"{}\"}}", instance.id.to_string(),
                                          to_string(instance.state)));
  return database_.instances().save(instance, Durability::relaxed);
}

Result<void> WorkerService::expect(const Instance& instance) {
  {
    std::lock_guard lock(mutex_);
    instances_[instance.id] = instance;
  }
  return save(instance);
}

Result<WorkerRegistered> WorkerService::register_worker(const WorkerRegistration& registration) {
  WorkerRegistered answer;
  answer.instance_id = registration.instance_id.value_or(InstanceId());
  if (answer.instance_id.is_nil()) answer.instance_id = InstanceId::make(clock_);
  const InstanceId id = answer.instance_id;
  PLZ_ASSIGN(const bool was_ended, is_gone(id));
  // What is ordered from here on stays in it, also while the rest is looked up.
  open_mailbox(id);
  if (!was_ended) PLZ_TRY(adopt(registration, id));
  PLZ_ASSIGN(Reunion reunion, reunion_with(registration, id, was_ended));
  answer.forget = std::move(reunion.forget);
  const Instance instance = enter(registration, id, was_ended);
  deliver(id, std::move(reunion.orders));
  for (const auto& execution : reunion.lost) PLZ_TRY(finish_lost(execution, "the worker came back without it"));
  for (const auto& execution : reunion.stopped)
    PLZ_TRY(finish_without_worker(execution, OutcomeKind::stopped, "stopped before it was started"));
  PLZ_TRY(save(instance));
  log_info("worker of instance {} on {} registered: {} attempts in hand, {} to forget", id.to_string(),
           registration.host_name, registration.attempts.size(), answer.forget.size());
  notifier_.notify(id.uuid());
  notifier_.notify(ExecutionService::any_execution());
  return answer;
}

Result<bool> WorkerService::is_gone(InstanceId id) const {
  {
    std::lock_guard lock(mutex_);
    auto found = instances_.find(id);
    if (found != instances_.end()) return found->second.state == InstanceState::gone;
  }
  PLZ_ASSIGN(auto recorded, database_.instances().find(id));
  return recorded && recorded->state == InstanceState::gone;
}

Result<void> WorkerService::adopt(const WorkerRegistration& registration, InstanceId id) {
  const auto& known = registration.attempts;
  std::vector<std::pair<ExecutionId, Attempt>> adopted;
  executions_.each_assigned([&](const Execution& execution, const Attempt& attempt) {
    if (execution.instance_id == id || execution.attempt_id != attempt.id) return;
    if (std::find(known.begin(), known.end(), attempt.id) != known.end()) adopted.emplace_back(execution.id, attempt);
  });
  for (auto& [execution, attempt] : adopted) {
    log_info("attempt {} is in the hand of instance {} by now", attempt.id.to_string(), id.to_string());
    attempt.instance_id = id;
    auto changed = executions_.change(
        execution,
        [&, attempt_id = attempt.id](Execution& e) -> Result<void> {
          if (e.state != ExecutionState::finished && e.attempt_id == attempt_id) e.instance_id = id;
          return {};
        },
        Durability::relaxed, attempt);
    if (!changed) return fail(std::move(changed).error());
  }
  return {};
}

void WorkerService::open_mailbox(InstanceId id) {
  std::lock_guard lock(mutex_);
  Mailbox& mailbox = mailboxes_[id];
  ++mailbox.registration;
  mailbox.orders = WorkerOrders{};
  for (const auto& [request_id, collecting] : collections_)
    if (collecting.instance == id) mailbox.orders.collections.push_back(collecting.order);
}

Result<WorkerService::Reunion> WorkerService::reunion_with(const WorkerRegistration& registration, InstanceId id,
                                                           bool was_ended) {
  Reunion reunion;
  reunion.orders.shut_down = was_ended;
  const auto& known = registration.attempts;
  auto is_known = [&](AttemptId attempt) { return std::find(known.begin(), known.end(), attempt) != known.end(); };
  std::vector<std::pair<Execution, Attempt>> assigned;
  executions_.each_assigned([&](const Execution& execution, const Attempt& attempt) {
    // One that was ended adopts nothing, but ends what it has in hand.
    if (execution.instance_id == id || (was_ended && is_known(attempt.id))) assigned.emplace_back(execution, attempt);
  });
  for (const auto& [execution, attempt] : assigned) {
    if (is_known(attempt.id)) {
      if (execution.stop_requested) reunion.orders.stops.push_back({attempt.id, grace_of(attempt.id).count()});
    } else if (execution.state != ExecutionState::starting) {
      reunion.lost.push_back(execution);
    } else if (execution.stop_requested) {
      reunion.stopped.push_back(execution);
    } else if (!was_ended) {
      PLZ_ASSIGN(auto shell, executions_.submitting_shell(execution.id));
      reunion.orders.assignments.push_back({attempt.id, execution.id, execution.spec, std::move(shell.variables),
                                            attempt.gpu_ids, images_repository_, std::move(shell.attributes)});
    }
  }
  for (AttemptId attempt : known) {
    const bool is_its_own =
        std::any_of(assigned.begin(), assigned.end(), [&](const auto& entry) { return entry.second.id == attempt; });
    if (!is_its_own) reunion.forget.push_back(attempt);
  }
  std::lock_guard lock(mutex_);
  for (const auto& [request, capture] : captures_)
    if (is_known(capture.attempt)) reunion.orders.captures.push_back({capture.attempt, request});
  return reunion;
}

Instance WorkerService::enter(const WorkerRegistration& registration, InstanceId id, bool was_ended) {
  std::lock_guard lock(mutex_);
  auto [it, is_new] = instances_.try_emplace(id);
  Instance& entry = it->second;
  if (is_new) {
    entry.id = id;
    entry.created = clock_.now();
  }
  versions_[id] = registration.version;
  entry.host_name = registration.host_name;
  entry.capacity = registration.capacity;
  entry.runtimes = registration.runtimes;
  entry.last_seen = clock_.now();
  if (was_ended) entry.state = InstanceState::gone;
  if (entry.state == InstanceState::starting) {
    entry.state = InstanceState::idle;
    entry.idle_since = clock_.now();
  }
  return entry;
}

// A worker takes it for what it is where it is told of something twice.
void WorkerService::deliver(InstanceId id, WorkerOrders orders) {
  std::lock_guard lock(mutex_);
  WorkerOrders& waiting = mailboxes_[id].orders;
  auto append = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  append(waiting.assignments, orders.assignments);
  append(waiting.stops, orders.stops);
  append(waiting.captures, orders.captures);
  waiting.shut_down = waiting.shut_down || orders.shut_down;
}

Result<uint64_t> WorkerService::registration_of(InstanceId id) const {
  std::lock_guard lock(mutex_);
  auto mailbox = mailboxes_.find(id);
  if (!instances_.contains(id) || mailbox == mailboxes_.end())
    return fail(ErrorCode::not_found, fmt::format("instance {} is not registered", id.to_string()));
  return mailbox->second.registration;
}

Result<std::optional<WorkerOrders>> WorkerService::take_orders(InstanceId id, uint64_t registration) {
  std::lock_guard lock(mutex_);
  auto found = instances_.find(id);
  auto mailbox = mailboxes_.find(id);
  if (found == instances_.end() || mailbox == mailboxes_.end())
    return fail(ErrorCode::not_found, fmt::format("instance {} is not registered", id.to_string()));
  if (mailbox->second.registration != registration)
    return fail(ErrorCode::not_found, fmt::format("instance {} has registered anew since", id.to_string()));
  found->second.last_seen = clock_.now();
  if (is_empty(mailbox->second.orders)) return std::optional<WorkerOrders>();
  return std::exchange(mailbox->second.orders, WorkerOrders{});
}

void WorkerService::post(InstanceId id, const std::function<void(WorkerOrders&)>& add) {
  {
    std::lock_guard lock(mutex_);
    auto mailbox = mailboxes_.find(id);
    // Not registered: registration will look at the executions themselves.
    if (mailbox == mailboxes_.end()) return;
    add(mailbox->second.orders);
  }
  notifier_.notify(id.uuid());
}

Result<void> WorkerService::assign(InstanceId id, Assignment assignment) {
  PLZ_ASSIGN(const bool ended, is_gone(id));
  if (ended) return fail(ErrorCode::conflict, fmt::format("instance {} has been ended", id.to_string()));
  assignment.images_repository = images_repository_;
  post(id, [&](WorkerOrders& orders) { orders.assignments.push_back(std::move(assignment)); });
  return {};
}

void WorkerService::order_stop(const Execution& execution, std::chrono::milliseconds grace) {
  if (!execution.instance_id || !execution.attempt_id) return;
  {
    std::lock_guard lock(mutex_);
    graces_[*execution.attempt_id] = grace;
  }
  post(*execution.instance_id, [&](WorkerOrders& orders) {
    orders.stops.push_back({*execution.attempt_id, grace.count()});
  });
}

void WorkerService::repeat_stop(const Execution& execution) {
  if (execution.attempt_id) order_stop(execution, grace_of(*execution.attempt_id));
}

std::chrono::milliseconds WorkerService::grace_of(AttemptId id) const {
  std::lock_guard lock(mutex_);
  auto found = graces_.find(id);
  return found == graces_.end() ? kDefaultGrace : found->second;
}

Result<void> WorkerService::order_capture(const Execution& execution, std::function<void(CaptureReport)> answer) {
  if ((execution.state != ExecutionState::running && !has_kept_output(execution)) || !execution.instance_id)
    return fail(ErrorCode::conflict, fmt::format("execution {} is not running: it is {}", execution.id.to_string(),
                                                 to_string(execution.state)));
  const std::string request_id = Uuid::make_v7(clock_).to_string();
  {
    std::lock_guard lock(mutex_);
    // Of one that runs, its worker comes back; nobody waits for that of one that has ended.
    if (has_kept_output(execution) && !mailboxes_.contains(*execution.instance_id))
      return fail(ErrorCode::unavailable, fmt::format("the output is kept on instance {}, whose worker is not there",
                                                      execution.instance_id->to_string()));
    captures_[request_id] = {*execution.attempt_id, std::move(answer)};
  }
  post(*execution.instance_id, [&](WorkerOrders& orders) {
    orders.captures.push_back({*execution.attempt_id, request_id});
  });
  return {};
}

void WorkerService::answer_capture(const std::string& request_id, CaptureReport report) {
  std::function<void(CaptureReport)> answer;
  {
    std::lock_guard lock(mutex_);
    auto found = captures_.find(request_id);
    if (found == captures_.end()) return;
    answer = std::move(found->second.answer);
    captures_.erase(found);
  }
  answer(std::move(report));
}

void WorkerService::refuse_captures(AttemptId id, const std::string& reason) {
  std::vector<std::string> requests;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [request, capture] : captures_)
      if (capture.attempt == id) requests.push_back(request);
  }
  CaptureReport report;
  report.error = reason;
  for (const auto& request : requests) answer_capture(request, report);
}

Result<std::string> WorkerService::order_collection(InstanceId id, CollectionOrder order,
                                                    std::function<void(WorkerCollection)> answer) {
  order.request_id = Uuid::make_v7(clock_).to_string();
  const std::string request_id = order.request_id;
  {
    std::lock_guard lock(mutex_);
    auto instance = instances_.find(id);
    if (instance == instances_.end() || !mailboxes_.contains(id))
      return fail(ErrorCode::unavailable, "its worker is not there");
    const auto& seen = instance->second.last_seen;
    if (!seen || clock_.now() - *seen > kSilent)
      return fail(ErrorCode::unavailable, "its worker has not been heard of for a while");
    collections_[request_id] = {id, order, std::move(answer)};
  }
  post(id, [&](WorkerOrders& orders) { orders.collections.push_back(std::move(order)); });
  return request_id;
}

void WorkerService::order_removal_of_outputs(const std::vector<Execution>& executions) {
  for (const Execution& execution : executions) {
    if (!execution.instance_id || !execution.attempt_id) continue;
    CollectionOrder order;
    order.drop_outputs = {*execution.attempt_id};
    // Where it is not there, plz gc does it.
    static_cast<void>(order_collection(*execution.instance_id, std::move(order), [](const WorkerCollection&) {}));
  }
}

void WorkerService::answer_collection(const std::string& request_id, WorkerCollection collection) {
  std::function<void(WorkerCollection)> answer;
  {
    std::lock_guard lock(mutex_);
    auto found = collections_.find(request_id);
    if (found == collections_.end()) return;
    answer = std::move(found->second.answer);
    collections_.erase(found);
  }
  answer(std::move(collection));
}

void WorkerService::forget_collection(const std::string& request_id) {
  std::lock_guard lock(mutex_);
  collections_.erase(request_id);
}

Result<void> WorkerService::finish_lost(const Execution& execution, const std::string& reason) {
  return finish_without_worker(execution, OutcomeKind::lost, reason);
}

Result<void> WorkerService::finish_without_worker(const Execution& execution, OutcomeKind kind,
                                                  const std::string& reason) {
  auto changed = executions_.change(
      execution.id,
      [&](Execution& e) -> Result<void> {
        if (e.state == ExecutionState::finished) return {};
        e.state = ExecutionState::finished;
        e.outcome = Outcome{kind, std::nullopt, std::nullopt, false, reason};
        e.times.finished = clock_.now();
        return {};
      },
      Durability::durable);
  if (!changed) return fail(std::move(changed).error());
  if (execution.attempt_id) forget_attempt(*execution.attempt_id, reason);
  return {};
}

void WorkerService::forget_attempt(AttemptId id, const std::string& why_no_capture) {
  refuse_captures(id, why_no_capture);
  std::lock_guard lock(mutex_);
  graces_.erase(id);
}

void WorkerService::attempt_ended(const Attempt& attempt, const std::string& why_no_capture) {
  forget_attempt(attempt.id, why_no_capture);
  std::lock_guard lock(mutex_);
  auto instance = instances_.find(attempt.instance_id);
  if (instance != instances_.end()) instance->second.idle_since = clock_.now();
}

std::vector<Instance> WorkerService::instances() const {
  std::map<InstanceId, Instance> copies;
  {
    std::lock_guard lock(mutex_);
    copies = instances_;
  }
  executions_.each_assigned([&](const Execution& execution, const Attempt&) {
    if (!execution.instance_id) return;
    auto found = copies.find(*execution.instance_id);
    if (found != copies.end()) found->second.executions.push_back(execution.id);
  });
  std::vector<Instance> list;
  for (auto& [id, instance] : copies) {
    if (instance.state == InstanceState::gone) continue;
    if (instance.state != InstanceState::starting)
      instance.state = instance.executions.empty() ? InstanceState::idle : InstanceState::busy;
    if (instance.state == InstanceState::busy) instance.idle_since.reset();
    list.push_back(std::move(instance));
  }
  return list;
}

std::vector<Instance> WorkerService::take_outdated(const std::string& version) {
  std::vector<Instance> outdated = instances();
  std::lock_guard lock(mutex_);
  std::erase_if(outdated, [&](const Instance& instance) {
    auto found = versions_.find(instance.id);
    return found == versions_.end() || found->second == version;
  });
  for (const auto& instance : outdated) versions_.erase(instance.id);
  return outdated;
}

std::optional<std::string> WorkerService::refusal(const Instance& instance, const KillRequest& request) const {
  if (instance.executions.empty()) {
    // Nobody's: "all" means those that work for somebody, unless it is said otherwise. Who ends what runs ends these.
    if (request.all && !request.including_idle && !request.force_if_not_idle)
      return "it is idle: --including-idle ends it, too";
    return std::nullopt;
  }
  if (!request.force_if_not_idle) return "it is running an execution: --force-if-not-idle ends it all the same";
  if (request.berserk) return std::nullopt;
  for (ExecutionId id : instance.executions) {
    auto execution = executions_.get(id);
    if (execution && execution->spec.user != request.user)
      return fmt::format("it is running an execution of {}: --berserk ends it all the same", execution->spec.user);
  }
  return std::nullopt;
}

Result<KillAnswer> WorkerService::kill(const KillRequest& request) {
  KillAnswer answer;
  std::vector<Instance> present = instances();
  auto wanted = [&](InstanceId id) {
    return request.all ||
           std::find(request.instance_ids.begin(), request.instance_ids.end(), id) != request.instance_ids.end();
  };
  for (InstanceId id : request.instance_ids) {
    bool exists = std::any_of(present.begin(), present.end(), [&](const Instance& i) { return i.id == id; });
    if (!exists) answer.refused.push_back({id, "there is no such instance"});
  }
  for (const auto& instance : present) {
    if (!wanted(instance.id)) continue;
    if (auto reason = refusal(instance, request)) {
      answer.refused.push_back({instance.id, *reason});
      continue;
    }
    end_instance(instance, fmt::format("its instance {} was killed by {}", instance.id.to_string(), request.user));
    answer.killed.push_back(instance.id);
  }
  return answer;
}

std::string WorkerService::why_ended(InstanceId instance) const {
  std::lock_guard lock(mutex_);
  auto found = why_ended_.find(instance);
  return found == why_ended_.end() ? "" : found->second;
}

// Gone first, so that nothing is assigned to it that is not seen here.
void WorkerService::end_instance(const Instance& instance, const std::string& reason) {
  {
    std::lock_guard lock(mutex_);
    instances_[instance.id].state = InstanceState::gone;
  }
  std::vector<ExecutionId> in_hand;
  executions_.each_assigned([&](const Execution& execution, const Attempt&) {
    if (execution.instance_id == instance.id) in_hand.push_back(execution.id);
  });
  if (!in_hand.empty()) {
    std::lock_guard lock(mutex_);
    why_ended_[instance.id] = reason;
  }
  for (ExecutionId id : in_hand) {
    auto execution = executions_.change(
        id,
        [&](Execution& e) -> Result<void> {
          if (e.state != ExecutionState::finished) e.stop_requested = true;
          return {};
        },
        Durability::relaxed);
    if (execution) order_stop(*execution, std::chrono::milliseconds(0));
  }
  log_info("{}", reason);
  post(instance.id, [](WorkerOrders& orders) { orders.shut_down = true; });
  Instance gone = instance;
  gone.state = InstanceState::gone;
  gone.executions.clear();
  if (auto saved = save(gone); !saved) log_error("instance {}: {}", gone.id.to_string(), saved.error().message);
  // Whoever waits for room gets another instance.
  notifier_.notify(ExecutionService::any_execution());
}

void WorkerService::shut_down_workers() {
  for (const auto& instance : instances()) post(instance.id, [](WorkerOrders& orders) { orders.shut_down = true; });
}

std::optional<std::string> WorkerService::why_abandoned(InstanceId id) const {
  std::lock_guard lock(mutex_);
  auto found = instances_.find(id);
  const Instance* instance = found == instances_.end() ? nullptr : &found->second;
  const Timestamp last_seen = std::max(began_, instance ? instance->last_seen.value_or(began_) : began_);
  if (clock_.now() - last_seen <= kSilent) return std::nullopt;
  if (!instance || instance->state == InstanceState::gone) {
    auto why = why_ended_.find(id);
    return why != why_ended_.end() ? why->second
                                   : fmt::format("its instance {} was ended, and has left no word", id.to_string());
  }
  // A machine has one instance of a provider: the one whose worker speaks.
  for (const auto& [other, present] : instances_)
    if (other != id && present.state != InstanceState::gone && present.provider == instance->provider &&
        present.host_name == instance->host_name && mailboxes_.contains(other) && !mailboxes_.contains(id))
      return fmt::format("its machine has become instance {}, which does not have it", other.to_string());
  return std::nullopt;
}

void WorkerService::lose_abandoned() {
  std::vector<Execution> assigned;
  executions_.each_assigned([&](const Execution& execution, const Attempt&) {
    if (execution.instance_id) assigned.push_back(execution);
  });
  for (const auto& execution : assigned) {
    const auto reason = why_abandoned(*execution.instance_id);
    if (!reason) continue;
    const OutcomeKind kind = execution.stop_requested ? OutcomeKind::stopped : OutcomeKind::lost;
    log_warning("execution {}: {}", execution.id.to_string(), *reason);
    if (auto done = finish_without_worker(execution, kind, *reason); !done)
      log_error("execution {}: {}", execution.id.to_string(), done.error().message);
  }
}

}  // namespace plz
