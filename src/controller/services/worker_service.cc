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

WorkerService::WorkerService(Database& database, ExecutionService& executions, LogStore& logs, Notifier& notifier,
                             EventLog& events, const Clock& clock, std::string images_repository)
    : database_(database),
      executions_(executions),
      logs_(logs),
      notifier_(notifier),
      events_(events),
      clock_(clock),
      images_repository_(std::move(images_repository)) {}

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
  WorkerOrders orders;
  std::vector<Execution> lost;
  const auto& known = registration.attempts;
  std::vector<AttemptId> expected;
  std::vector<std::pair<Execution, Attempt>> assigned;
  executions_.each_assigned([&](const Execution& execution, const Attempt& attempt) {
    if (execution.instance_id == id) assigned.emplace_back(execution, attempt);
  });
  for (const auto& [execution, attempt] : assigned) {
    expected.push_back(attempt.id);
    bool has_it = std::find(known.begin(), known.end(), attempt.id) != known.end();
    if (!has_it && execution.state == ExecutionState::starting) {
      PLZ_ASSIGN(auto environment, executions_.shell_environment(execution.id));
      orders.assignments.push_back(
          {attempt.id, execution.id, execution.spec, std::move(environment), attempt.gpu_ids, images_repository_});
    } else if (!has_it) {
      lost.push_back(execution);
    }
    if (has_it && execution.stop_requested) orders.stops.push_back({attempt.id, kDefaultGrace.count()});
  }
  for (AttemptId attempt : known)
    if (std::find(expected.begin(), expected.end(), attempt) == expected.end()) answer.forget.push_back(attempt);
  Instance instance;
  {
    std::lock_guard lock(mutex_);
    auto [it, is_new] = instances_.try_emplace(id);
    Instance& entry = it->second;
    if (is_new) {
      entry.id = id;
      entry.created = clock_.now();
    }
    entry.host_name = registration.host_name;
    entry.capacity = registration.capacity;
    entry.runtimes = registration.runtimes;
    entry.last_seen = clock_.now();
    if (entry.state == InstanceState::starting || entry.state == InstanceState::gone) {
      entry.state = InstanceState::idle;
      entry.idle_since = clock_.now();
    }
    orders_[id] = std::move(orders);
    instance = entry;
  }
  for (const auto& execution : lost) PLZ_TRY(finish_lost(execution, "the worker came back without it"));
  PLZ_TRY(save(instance));
  log_info("worker of instance {} on {} registered: {} attempts in hand, {} to forget", id.to_string(),
           registration.host_name, known.size(), answer.forget.size());
  notifier_.notify(id.uuid());
  notifier_.notify(ExecutionService::any_execution());
  return answer;
}

Result<std::optional<WorkerOrders>> WorkerService::take_orders(InstanceId id) {
  std::lock_guard lock(mutex_);
  auto found = instances_.find(id);
  auto orders = orders_.find(id);
  if (found == instances_.end() || orders == orders_.end())
    return fail(ErrorCode::not_found, fmt::format("instance {} is not registered", id.to_string()));
  found->second.last_seen = clock_.now();
  if (is_empty(orders->second)) return std::optional<WorkerOrders>();
  std::optional<WorkerOrders> taken = std::move(orders->second);
  orders->second = WorkerOrders{};
  return taken;
}

void WorkerService::post(InstanceId id, const std::function<void(WorkerOrders&)>& add) {
  {
    std::lock_guard lock(mutex_);
    auto orders = orders_.find(id);
    // Not registered: registration will look at the executions themselves.
    if (orders == orders_.end()) return;
    add(orders->second);
  }
  notifier_.notify(id.uuid());
}

Result<void> WorkerService::assign(InstanceId id, Assignment assignment) {
  assignment.images_repository = images_repository_;
  post(id, [&](WorkerOrders& orders) { orders.assignments.push_back(std::move(assignment)); });
  return {};
}

void WorkerService::order_stop(const Execution& execution, std::chrono::milliseconds grace) {
  if (!execution.instance_id || !execution.attempt_id) return;
  post(*execution.instance_id, [&](WorkerOrders& orders) {
    orders.stops.push_back({*execution.attempt_id, grace.count()});
  });
}

Result<void> WorkerService::order_capture(const Execution& execution, std::function<void(CaptureReport)> answer) {
  if (execution.state != ExecutionState::running || !execution.instance_id)
    return fail(ErrorCode::conflict, fmt::format("execution {} is not running: it is {}", execution.id.to_string(),
                                                 to_string(execution.state)));
  const std::string request_id = Uuid::make_v7(clock_).to_string();
  {
    std::lock_guard lock(mutex_);
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

Result<std::string> WorkerService::order_collection(InstanceId id, CollectionOrder order,
                                                    std::function<void(WorkerCollection)> answer) {
  order.request_id = Uuid::make_v7(clock_).to_string();
  const std::string request_id = order.request_id;
  {
    std::lock_guard lock(mutex_);
    auto instance = instances_.find(id);
    if (instance == instances_.end() || !orders_.contains(id))
      return fail(ErrorCode::unavailable, "its worker is not there");
    const auto& seen = instance->second.last_seen;
    if (!seen || clock_.now() - *seen > kSilent)
      return fail(ErrorCode::unavailable, "its worker has not been heard of for a while");
    collections_[request_id] = std::move(answer);
  }
  post(id, [&](WorkerOrders& orders) { orders.collections.push_back(std::move(order)); });
  return request_id;
}

void WorkerService::answer_collection(const std::string& request_id, WorkerCollection collection) {
  std::function<void(WorkerCollection)> answer;
  {
    std::lock_guard lock(mutex_);
    auto found = collections_.find(request_id);
    if (found == collections_.end()) return;
    answer = std::move(found->second);
    collections_.erase(found);
  }
  answer(std::move(collection));
}

void WorkerService::forget_collection(const std::string& request_id) {
  std::lock_guard lock(mutex_);
  collections_.erase(request_id);
}

// It is durable then, and whoever follows it has its end.
Result<void> WorkerService::seal_preparation_log(AttemptId id, const Execution& execution) {
  if (!execution.spec.snapshot.environment.uses_container()) return {};
  const Uuid log = preparation_log_of(id);
  PLZ_ASSIGN(LogState state, logs_.state(log));
  if (state.bytes == 0 || state.sealed) return {};
  return logs_.seal(log);
}

Result<void> WorkerService::started(AttemptId id, const AttemptMoment& moment) {
  PLZ_ASSIGN(Execution execution, executions_.of_attempt(id));
  PLZ_TRY(seal_preparation_log(id, execution));
  auto changed = executions_.change(
      execution.id,
      [&](Execution& e) -> Result<void> {
        if (e.attempt_id != id || e.state != ExecutionState::starting) return {};
        e.state = ExecutionState::running;
        e.times.started = moment.time;
        if (moment.image) e.image = moment.image;
        return {};
      },
      Durability::relaxed);
  if (!changed) return fail(std::move(changed).error());
  return {};
}

Result<void> WorkerService::command_ended(AttemptId id, Timestamp time) {
  PLZ_ASSIGN(Execution execution, executions_.of_attempt(id));
  auto changed = executions_.change(
      execution.id,
      [&](Execution& e) -> Result<void> {
        if (e.attempt_id != id) return {};
        if (e.state != ExecutionState::starting && e.state != ExecutionState::running) return {};
        e.state = ExecutionState::finishing;
        e.times.command_ended = time;
        return {};
      },
      Durability::relaxed);
  if (!changed) return fail(std::move(changed).error());
  return {};
}

Result<void> WorkerService::measures(AttemptId id, const std::vector<MeasureEvent>& events) {
  PLZ_ASSIGN(Attempt attempt, executions_.attempt(id));
  PLZ_TRY(database_.measures().append(attempt.execution_id, id, events));
  notifier_.notify(attempt.execution_id.uuid());
  return {};
}

Result<void> WorkerService::finish(AttemptId id, const FinishReport& report) {
  PLZ_ASSIGN(Execution execution, executions_.of_attempt(id));
  if (execution.state == ExecutionState::finished) return {};  // a repeated report
  PLZ_ASSIGN(LogState log, logs_.state(id.uuid()));
  if (log.bytes < report.log_bytes)
    return fail(ErrorCode::conflict,
                fmt::format("the log of attempt {} has {} of {} bytes", id.to_string(), log.bytes, report.log_bytes));
  if (!report.measures.empty()) PLZ_TRY(database_.measures().append(execution.id, id, report.measures));
  if (log.bytes > 0) PLZ_TRY(logs_.seal(id.uuid()));
  PLZ_TRY(seal_preparation_log(id, execution));
  PLZ_ASSIGN(Attempt attempt, executions_.attempt(id));
  attempt.started = report.started;
  attempt.ended = report.ended;
  attempt.log_bytes = log.bytes;
  attempt.log_complete = true;
  const std::string why_stopped = why_ended(attempt.instance_id);
  auto changed = executions_.change(
      execution.id,
      [&](Execution& e) -> Result<void> {
        if (e.attempt_id != id || e.state == ExecutionState::finished) return {};
        e.state = ExecutionState::finished;
        e.outcome = report.outcome;
        if (e.outcome->kind == OutcomeKind::stopped && e.outcome->reason.empty()) e.outcome->reason = why_stopped;
        if (report.started) e.times.started = report.started;
        if (report.ended) e.times.command_ended = report.ended;
        e.times.finished = clock_.now();
        e.output_tree = report.output_tree;
        e.output_bytes = report.output_bytes;
        if (report.image) e.image = report.image;
        return {};
      },
      Durability::durable, attempt);
  if (!changed) return fail(std::move(changed).error());
  std::lock_guard lock(mutex_);
  auto instance = instances_.find(attempt.instance_id);
  if (instance != instances_.end()) instance->second.idle_since = clock_.now();
  return {};
}

Result<void> WorkerService::finish_lost(const Execution& execution, const std::string& reason) {
  auto changed = executions_.change(
      execution.id,
      [&](Execution& e) -> Result<void> {
        if (e.state == ExecutionState::finished) return {};
        e.state = ExecutionState::finished;
        e.outcome = Outcome{OutcomeKind::lost, std::nullopt, std::nullopt, false, reason};
        e.times.finished = clock_.now();
        return {};
      },
      Durability::durable);
  if (!changed) return fail(std::move(changed).error());
  return {};
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

std::optional<std::string> WorkerService::refusal(const Instance& instance, const KillRequest& request) const {
  if (instance.executions.empty()) {
    // Nobody's: "all" means those that work for somebody, unless it is said otherwise.
    if (request.all && !request.including_idle) return "it is idle: --including-idle ends it, too";
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

void WorkerService::end_instance(const Instance& instance, const std::string& reason) {
  if (!instance.executions.empty()) {
    std::lock_guard lock(mutex_);
    why_ended_[instance.id] = reason;
  }
  for (ExecutionId id : instance.executions) {
    auto execution = executions_.change(
        id,
        [&](Execution& e) -> Result<void> {
          e.stop_requested = true;
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
  {
    std::lock_guard lock(mutex_);
    instances_[instance.id].state = InstanceState::gone;
  }
  if (auto saved = save(gone); !saved) log_error("instance {}: {}", gone.id.to_string(), saved.error().message);
}

void WorkerService::shut_down_workers() {
  for (const auto& instance : instances()) post(instance.id, [](WorkerOrders& orders) { orders.shut_down = true; });
}

void WorkerService::lose(InstanceId id, const std::string& reason) {
  std::vector<Execution> lost;
  executions_.each_assigned([&](const Execution& execution, const Attempt&) {
    if (execution.instance_id == id) lost.push_back(execution);
  });
  for (const auto& execution : lost)
    if (auto done = finish_lost(execution, reason); !done)
      log_error("execution {}: {}", execution.id.to_string(), done.error().message);
  std::lock_guard lock(mutex_);
  auto found = instances_.find(id);
  if (found != instances_.end()) found->second.state = InstanceState::gone;
  orders_.erase(id);
}

}  // namespace plz
