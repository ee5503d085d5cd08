#include "controller/pipelines/scheduler.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "controller/services/capacity_check.h"

namespace plz {

Shortage shortage_of(const Resources& wanted, const Room& room) {
  constexpr double kRounding = 1e-9;
  if (wanted.cpus > room.cpus + kRounding) return Shortage::cpus;
  if (wanted.memory_bytes > room.memory_bytes) return Shortage::memory;
  if (wanted.gpus > room.gpus.size()) return Shortage::gpus;
  return Shortage::none;
}

void take(const Resources& wanted, Room& room, std::vector<std::string>& gpu_ids) {
  room.cpus -= wanted.cpus;
  room.memory_bytes -= wanted.memory_bytes;
  gpu_ids.assign(room.gpus.begin(), room.gpus.begin() + wanted.gpus);
  room.gpus.erase(room.gpus.begin(), room.gpus.begin() + wanted.gpus);
}

Scheduler::Scheduler(ExecutionService& executions, WorkerService& workers, const DiskWatch& disks, Notifier& notifier,
                     const Clock& clock)
    : executions_(executions), workers_(workers), disks_(disks), notifier_(notifier), clock_(clock) {}

Scheduler::~Scheduler() { stop(); }

void Scheduler::start() {
  changes_ = notifier_.subscribe(ExecutionService::any_execution(), [this] {
    std::lock_guard lock(mutex_);
    look_again_ = true;
    wanted_.notify_one();
  });
  thread_ = std::jthread([this](std::stop_token stop) { loop(stop); });
}

void Scheduler::stop() {
  changes_.reset();
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Scheduler::loop(std::stop_token stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      wanted_.wait(lock, stop, [this] { return look_again_; });
      look_again_ = false;
    }
    if (!stop.stop_requested()) run_once();
  }
}

std::vector<Room> Scheduler::empty_rooms() const {
  std::vector<Room> rooms;
  for (const auto& instance : workers_.instances()) {
    if (instance.state == InstanceState::starting) continue;
    rooms.push_back({instance.id, instance.capacity.cpus, instance.capacity.memory_bytes, instance.capacity.gpus});
  }
  return rooms;
}

std::vector<Room> Scheduler::rooms() const {
  std::vector<Room> rooms = empty_rooms();
  executions_.each_assigned([&](const Execution& execution, const Attempt& attempt) {
    auto room = std::find_if(rooms.begin(), rooms.end(), [&](const Room& r) { return r.id == attempt.instance_id; });
    if (room == rooms.end()) return;
    const Resources& used = execution.spec.resources;
    room->cpus -= used.cpus;
    room->memory_bytes -= std::min(used.memory_bytes, room->memory_bytes);
    std::erase_if(room->gpus, [&](const std::string& gpu) {
      return std::find(attempt.gpu_ids.begin(), attempt.gpu_ids.end(), gpu) != attempt.gpu_ids.end();
    });
  });
  return rooms;
}

void Scheduler::run_once() {
  std::vector<Room> free = rooms();
  if (free.empty()) return;
  std::vector<std::pair<ExecutionId, size_t>> chosen;  // with the index of its room
  std::vector<Room> left = free;
  const std::vector<Room> empty = empty_rooms();
  bool cpus_blocked = false, memory_blocked = false, gpus_blocked = false;
  using Next = ExecutionQueue::Next;
  executions_.each_queued([&](ExecutionId id, const Resources& wanted) {
    if ((wanted.cpus > 0 && cpus_blocked) || (wanted.memory_bytes > 0 && memory_blocked) ||
        (wanted.gpus > 0 && gpus_blocked))
      return Next::pass_those_like_it;
    Shortage shortage = Shortage::instance;
    for (size_t i = 0; i < left.size(); ++i) {
      shortage = shortage_of(wanted, left[i]);
      if (shortage != Shortage::none) continue;
      std::vector<std::string> unused;
      take(wanted, left[i], unused);
      chosen.emplace_back(id, i);
      return Next::further;
    }
    // What no instance could give waits for another instance; nobody waits behind it for these.
    auto would_fit = [&](const Room& room) { return shortage_of(wanted, room) == Shortage::none; };
    if (std::none_of(empty.begin(), empty.end(), would_fit)) return Next::pass_those_like_it;
    cpus_blocked = cpus_blocked || shortage == Shortage::cpus;
    memory_blocked = memory_blocked || shortage == Shortage::memory;
    gpus_blocked = gpus_blocked || shortage == Shortage::gpus;
    // Everybody wants some processor.
    return cpus_blocked ? Next::stop : Next::pass_those_like_it;
  });
  for (const auto& [id, index] : chosen) {
    auto execution = executions_.get(id);
    if (!execution) {
      log_error("execution {} could not be assigned: {}", id.to_string(), execution.error().message);
      return;
    }
    if (!assign(*execution, free[index])) return;
  }
}

bool Scheduler::assign(const Execution& execution, Room& room) {
  Attempt attempt;
  attempt.id = AttemptId::make(clock_);
  attempt.execution_id = execution.id;
  attempt.instance_id = room.id;
  attempt.number = execution.attempts + 1;
  take(execution.spec.resources, room, attempt.gpu_ids);
  bool taken = false;
  auto changed = executions_.change(
      execution.id,
      [&](Execution& e) -> Result<void> {
        taken = e.state == ExecutionState::queued;
        if (!taken) return {};
        e.state = ExecutionState::starting;
        e.waiting_for.clear();
        e.attempt_id = attempt.id;
        e.image.reset();
        e.instance_id = room.id;
        e.attempts = attempt.number;
        e.times.assigned = clock_.now();
        return {};
      },
      Durability::relaxed, attempt);
  if (!changed) {
    log_error("execution {} could not be assigned: {}", execution.id.to_string(), changed.error().message);
    return false;
  }
  if (!taken) return true;  // stopped meanwhile
  auto stored = executions_.submitting_shell(execution.id);
  if (!stored) log_error("execution {}: {}", execution.id.to_string(), stored.error().message);
  SubmittingShell shell = stored ? std::move(*stored) : SubmittingShell();
  Assignment assignment{attempt.id,
                        execution.id,
                        execution.spec,
                        std::move(shell.variables),
                        attempt.gpu_ids,
                        {},
                        std::move(shell.attributes)};
  if (!workers_.assign(room.id, std::move(assignment))) return put_back(execution.id, attempt.id), false;
  // Where it was asked to stop meanwhile, that order may have come before this one, and been passed over.
  auto now = executions_.get(execution.id);
  if (now && now->stop_requested && now->attempt_id == attempt.id) workers_.repeat_stop(*now);
  return true;
}

// Its worker has not heard of it.
void Scheduler::put_back(ExecutionId id, AttemptId attempt) {
  auto changed = executions_.change(
      id,
      [&](Execution& e) -> Result<void> {
        if (e.attempt_id != attempt || e.state != ExecutionState::starting) return {};
        if (e.stop_requested) {
          e.state = ExecutionState::finished;
          e.outcome = Outcome{OutcomeKind::stopped, std::nullopt, std::nullopt, false, "stopped before it was started"};
          e.times.finished = clock_.now();
          return {};
        }
        e.state = ExecutionState::queued;
        e.attempt_id.reset();
        e.instance_id.reset();
        e.times.assigned.reset();
        return {};
      },
      Durability::relaxed);
  if (!changed) log_error("execution {}: {}", id.to_string(), changed.error().message);
}

Outlook Scheduler::outlook() const {
  Outlook outlook{rooms(), {}};
  for (Instance& instance : workers_.instances()) outlook.instances.push_back(std::move(instance.capacity));
  outlook.full_disks = disks_.full();
  std::lock_guard lock(obstacle_mutex_);
  outlook.obstacle = obstacle_;
  return outlook;
}

void Scheduler::set_obstacle(const std::string& words) {
  {
    std::lock_guard lock(obstacle_mutex_);
    obstacle_ = words;
  }
  notifier_.notify(ExecutionService::any_execution());
}

std::string Scheduler::explain(const Execution& execution) const {
  if (execution.state == ExecutionState::queued) return explain(execution, outlook());
  return explain(execution, Outlook{{}, {}, execution.state == ExecutionState::finished ? "" : disks_.full()});
}

std::string Scheduler::explain(const Execution& execution, const Outlook& outlook) const {
  const std::string why = why_not_running(execution, outlook);
  const std::string room = what_waits_for_room(execution.state, outlook.full_disks);
  if (room.empty() || why.empty()) return room + why;
  return room + "; and for " + why;
}

std::string Scheduler::why_not_running(const Execution& execution, const Outlook& outlook) const {
  if (execution.spec.is_composite()) return {};
  // What its worker says.
  if (execution.state == ExecutionState::starting && !execution.waiting_for.empty()) return execution.waiting_for;
  if (execution.state == ExecutionState::starting && execution.spec.snapshot.environment.uses_container())
    return std::string(kWaitsForEnvironment);
  if (execution.state != ExecutionState::queued) return {};
  const Resources& wanted = execution.spec.resources;
  const size_t older = executions_.queued_before(execution.id);
  const std::vector<Room>& free = outlook.free;
  if (free.empty())
    return "an instance: none is running yet" + (outlook.obstacle.empty() ? "" : ": " + outlook.obstacle);
  Shortage shortage = Shortage::none;
  for (const Room& room : free) {
    shortage = shortage_of(wanted, room);
    if (shortage == Shortage::none) break;
  }
  if (auto never = why_never_met(wanted, outlook.instances, Among::instances)) return *never;
  std::string before =
      older == 0 ? "" : fmt::format("; {} older execution{} before it", older, older == 1 ? " is" : "s are");
  double most_cpus = 0;
  for (const Room& room : free) most_cpus = std::max(most_cpus, room.cpus);
  switch (shortage) {
    case Shortage::cpus:
      return fmt::format("{:g} processor{}, of which {:g} are free{}", wanted.cpus, wanted.cpus == 1 ? "" : "s",
                         most_cpus, before);
    case Shortage::memory: return fmt::format("{} of memory{}", human_bytes(wanted.memory_bytes), before);
    case Shortage::gpus: return fmt::format("{} GPU{}{}", wanted.gpus, wanted.gpus == 1 ? "" : "s", before);
    default: return older == 0 ? "the scheduler's next look" : fmt::format("its turn{}", before);
  }
}

}  // namespace plz
