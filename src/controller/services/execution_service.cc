#include "controller/services/execution_service.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/log.h"
#include "wire/json_text.h"
#include "wire/measures_json.h"

namespace plz {
namespace {

Error no_such_execution(ExecutionId id) {
  return Error{ErrorCode::not_found, "there is no execution " + id.to_string(),
               "plz history lists those of this project, plz history --all all of them"};
}

}  // namespace

ExecutionService::ExecutionService(Database& database, Notifier& notifier, EventLog& events, const Clock& clock)
    : database_(database), notifier_(notifier), events_(events), clock_(clock) {}

void ExecutionService::Composite::add_end(const Outcome& outcome) {
  ++finished;
  if (outcome.succeeded()) return;
  ++failed;
  if (outcome.kind == OutcomeKind::stopped) stopped = true;
  if (!first_exit_status) first_exit_status = outcome.exit_status;
}

Uuid ExecutionService::any_execution() { return Uuid(); }

Result<void> ExecutionService::load() {
  // What is newer comes later in the queue and in history, also where the clock was set back meanwhile.
  PLZ_ASSIGN(auto newest, database_.executions().list({}, std::nullopt, 1));
  if (!newest.empty()) ExecutionId::stay_above(newest.front().execution.id);
  PLZ_ASSIGN(auto records, database_.executions().unfinished());
  for (const auto& record : records) {
    std::optional<Attempt> attempt;
    if (record.execution.attempt_id) {
      PLZ_ASSIGN(attempt, database_.executions().find_attempt(*record.execution.attempt_id));
    }
    remember(record, attempt);
  }
  PLZ_ASSIGN(auto composites,
             database_.executions().list({.unfinished_only = true, .top_level_only = true}, std::nullopt, 10'000'000));
  std::erase_if(composites, [](const auto& record) { return !record.execution.spec.is_composite(); });
  for (const auto& record : composites) {
    PLZ_ASSIGN(auto members, parts(record.execution.id));
    std::lock_guard lock(mutex_);
    composites_[record.execution.id] = record;
    Composite& tally = tallies_[record.execution.id];
    tally.parts = members.size();
    for (const auto& part : members) {
      if (part.times.assigned) ++tally.started;
      if (!tally.image) tally.image = part.image;
      if (part.state == ExecutionState::finished) tally.add_end(*part.outcome);
    }
  }
  // An earlier controller may have ended between a part's change and that of the whole.
  for (const auto& record : composites) update_composite(record.execution.id);
  return {};
}

std::vector<NewExecution> ExecutionService::expand(Submission submission) const {
  std::vector<NewExecution> executions(1);
  Execution& head = executions[0].execution;
  head.id = ExecutionId::make(clock_);
  head.spec = std::move(submission.spec);
  head.times.submitted = clock_.now();
  if (head.spec.is_composite()) {
    const IndexRange range = *head.spec.parallel_indices_range;
    const int64_t step = std::max<int64_t>(1, head.spec.indices_per_execution);
    // Not beyond the end: the largest of numbers are indices too.
    for (int64_t from = range.from, count = 0; from < range.to; from += count) {
      count = std::min(step, range.to - from);
      NewExecution part;
      part.execution = executions[0].execution;
      part.execution.id = ExecutionId::make(clock_);
      part.execution.spec.parallel_indices_range.reset();
      part.execution.spec.parent_id = executions[0].execution.id;
      part.execution.spec.indices = IndexRange{from, from + count};
      part.shell = {submission.shell_environment, submission.process_attributes};
      executions.push_back(std::move(part));
    }
  } else {
    executions[0].shell = {std::move(submission.shell_environment), std::move(submission.process_attributes)};
  }
  for (auto& item : executions) item.document = execution_document(item.execution, "{}");
  return executions;
}

Result<ExecutionId> ExecutionService::submit(Submission submission, const IdempotencyKey& idempotency_key) {
  std::vector<NewExecution> executions = expand(std::move(submission));
  // Its parts refer to the same.
  Execution& head = executions[0].execution;
  executions[0].required.push_back(head.spec.snapshot.code_tree);
  if (head.spec.input) executions[0].required.push_back(head.spec.input->tree);
  const auto announcement = references_.announce(head);
  PLZ_ASSIGN(ExecutionId id, database_.executions().create(executions, idempotency_key));
  if (id != executions[0].execution.id) return id;  // a repeated request
  {
    std::lock_guard lock(mutex_);
    if (executions.size() > 1) tallies_[id].parts = executions.size() - 1;
  }
  for (const auto& item : executions) {
    // Version 0 is what create() stores.
    remember(ExecutionRecord{item.execution, 0}, std::nullopt);
  }
  for (const auto& item : executions) tell(item.execution);
  return id;
}

void ExecutionService::remember(const ExecutionRecord& record, const std::optional<Attempt>& attempt) {
  const Execution& execution = record.execution;
  std::lock_guard lock(mutex_);
  if (execution.spec.is_composite()) {
    if (execution.state == ExecutionState::finished) composites_.erase(execution.id);
    else composites_[execution.id] = record;
    return;
  }
  std::optional<Attempt> known = attempt;
  if (!known) {
    auto found = assigned_.find(execution.id);
    if (found != assigned_.end()) known = found->second.attempt;
  }
  queued_.erase(execution.id);
  assigned_.erase(execution.id);
  if (execution.state == ExecutionState::queued) queued_[execution.id] = Entry{record, std::nullopt};
  else if (execution.state != ExecutionState::finished) assigned_[execution.id] = Entry{record, known};
}

Result<ExecutionRecord> ExecutionService::read(ExecutionId id) const {
  {
    std::lock_guard lock(mutex_);
    if (auto it = queued_.find(id); it != queued_.end()) return it->second.record;
    if (auto it = assigned_.find(id); it != assigned_.end()) return it->second.record;
    if (auto it = composites_.find(id); it != composites_.end()) return it->second;
  }
  PLZ_ASSIGN(auto record, database_.executions().find(id));
  if (!record) return fail(no_such_execution(id));
  return std::move(*record);
}

Result<Execution> ExecutionService::get(ExecutionId id) const {
  PLZ_ASSIGN(ExecutionRecord record, read(id));
  return std::move(record.execution);
}

Result<std::vector<Execution>> ExecutionService::parts(ExecutionId composite) const {
  ExecutionFilter filter;
  filter.parent = composite;
  PLZ_ASSIGN(auto records, database_.executions().list(filter, std::nullopt, 10'000'000));
  std::vector<Execution> executions;
  for (auto& record : records) executions.push_back(std::move(record.execution));
  std::sort(executions.begin(), executions.end(), [](const Execution& a, const Execution& b) { return a.id < b.id; });
  return executions;
}

Result<SubmittingShell> ExecutionService::submitting_shell(ExecutionId id) const {
  return database_.executions().submitting_shell(id);
}

Result<Attempt> ExecutionService::attempt(AttemptId id) const {
  PLZ_ASSIGN(auto found, database_.executions().find_attempt(id));
  if (!found) return fail(ErrorCode::not_found, "there is no attempt " + id.to_string());
  return std::move(*found);
}

Result<Execution> ExecutionService::of_attempt(AttemptId id) const {
  {
    std::lock_guard lock(mutex_);
    for (const auto& [execution_id, entry] : assigned_)
      if (entry.record.execution.attempt_id == id) return entry.record.execution;
  }
  PLZ_ASSIGN(Attempt found, attempt(id));
  PLZ_ASSIGN(Execution execution, get(found.execution_id));
  if (execution.attempt_id != id)
    return fail(ErrorCode::conflict, fmt::format("execution {} has another attempt by now", execution.id.to_string()));
  return execution;
}

Result<Execution> ExecutionService::change(ExecutionId id, const Mutate& mutate, Durability durability,
                                           const std::optional<Attempt>& attempt) {
  Execution changed;
  for (;;) {
    PLZ_ASSIGN(bool stored, try_change(id, mutate, durability, attempt, changed));
    if (stored) return changed;
  }
}

Result<bool> ExecutionService::try_change(ExecutionId id, const Mutate& mutate, Durability durability,
                                          const std::optional<Attempt>& attempt, Execution& changed) {
  PLZ_ASSIGN(ExecutionRecord record, read(id));
  const Execution before = record.execution;
  PLZ_TRY(mutate(record.execution));
  Execution& after = record.execution;
  if (after == before) {
    changed = std::move(after);
    return true;
  }
  if (before.state == ExecutionState::finished)
    return fail(ErrorCode::conflict, fmt::format("execution {} has finished", id.to_string()));
  if (before.state != after.state && !can_transition(before.state, after.state))
    return fail(ErrorCode::conflict, fmt::format("execution {} cannot go from {} to {}", id.to_string(),
                                                 to_string(before.state), to_string(after.state)));
  const auto announcement = references_.announce(after);
  std::string text = after.state == ExecutionState::finished ? document(after) : std::string();
  PLZ_ASSIGN(bool stored, database_.executions().save(after, record.version, attempt, text, durability));
  if (!stored) {
    // Another writer was faster: what the cache holds is old.
    PLZ_ASSIGN(auto fresh, database_.executions().find(id));
    if (!fresh) return fail(no_such_execution(id));
    remember(*fresh, std::nullopt);
    return false;
  }
  ++record.version;
  remember(record, attempt);
  changed = after;
  if (after.spec.parent_id) part_changed(before, after);
  tell(after);
  return true;
}

void ExecutionService::tell(const Execution& execution) {
  events_.append("executions",
                 fmt::format("{{\"execution_id\": \"{}\", \"state\": \"{}\", \"user\": {}, \"project\": {}}}",
                             execution.id.to_string(), to_string(execution.state), quote_json(execution.spec.user),
                             quote_json(execution.spec.project)));
  notifier_.notify(execution.id.uuid());
  if (execution.spec.parent_id) notifier_.notify(execution.spec.parent_id->uuid());
  notifier_.notify(any_execution());
}

void ExecutionService::part_changed(const Execution& before, const Execution& after) {
  {
    std::lock_guard lock(mutex_);
    Composite& tally = tallies_[*after.spec.parent_id];
    if (!before.times.assigned && after.times.assigned) ++tally.started;
    if (!tally.image) tally.image = after.image;
    if (after.state == ExecutionState::finished) tally.add_end(*after.outcome);
  }
  update_composite(*after.spec.parent_id);
}

void ExecutionService::update_composite(ExecutionId composite) {
  auto changed = change(
      composite,
      [&](Execution& whole) -> Result<void> {
        std::lock_guard lock(mutex_);
        const Composite& tally = tallies_[composite];
        const Timestamp now = clock_.now();
        if (whole.state == ExecutionState::finished) return {};
        whole.image = tally.image;
        if (whole.state == ExecutionState::queued && (tally.started > 0 || tally.finished == tally.parts)) {
          whole.state = ExecutionState::starting;
          whole.times.assigned = now;
        } else if (whole.state == ExecutionState::starting) {
          whole.state = ExecutionState::running;
          whole.times.started = now;
        }
        if (tally.finished < tally.parts) return {};
        whole.state = ExecutionState::finished;
        whole.times.command_ended = whole.times.finished = now;
        Outcome outcome;
        outcome.kind = tally.failed == 0 ? OutcomeKind::succeeded
                       : tally.stopped   ? OutcomeKind::stopped
                                         : OutcomeKind::exited;
        outcome.exit_status = tally.failed == 0 ? 0 : tally.first_exit_status.value_or(1);
        if (tally.failed > 0) outcome.reason = fmt::format("{} of {} parts did not succeed", tally.failed, tally.parts);
        whole.outcome = outcome;
        return {};
      },
      Durability::durable);
  if (!changed) {
    log_error("composite {}: {}", composite.to_string(), changed.error().message);
    return;
  }
  if (changed->state == ExecutionState::starting) return update_composite(composite);
  if (changed->state == ExecutionState::finished) {
    std::lock_guard lock(mutex_);
    tallies_.erase(composite);
  }
}

Result<std::vector<Execution>> ExecutionService::request_stop(ExecutionId id) {
  PLZ_ASSIGN(Execution execution, get(id));
  std::vector<Execution> members;
  if (execution.spec.is_composite()) {
    PLZ_ASSIGN(members, parts(id));
  } else {
    members.push_back(execution);
  }
  std::vector<Execution> in_hand;
  for (const auto& member : members) {
    if (member.state == ExecutionState::finished) continue;
    PLZ_ASSIGN(Execution changed, change(
                                      member.id,
                                      [&](Execution& e) -> Result<void> {
                                        if (e.state == ExecutionState::finished) return {};
                                        e.stop_requested = true;
                                        if (e.state != ExecutionState::queued) return {};
                                        e.state = ExecutionState::finished;
                                        e.outcome = Outcome{OutcomeKind::stopped, std::nullopt, std::nullopt, false,
                                                            "stopped while it was queued"};
                                        e.times.finished = clock_.now();
                                        return {};
                                      },
                                      Durability::durable));
    if (changed.state != ExecutionState::finished) in_hand.push_back(std::move(changed));
  }
  return in_hand;
}

// The logs go first: what a crash leaves behind is still in the history, to be removed again.
Result<void> ExecutionService::remove(ExecutionId id, LogStore& logs) {
  PLZ_ASSIGN(const Execution execution, get(id));
  if (execution.spec.parent_id)
    return fail(ErrorCode::conflict,
                fmt::format("execution {} is a part of {}", id.to_string(), execution.spec.parent_id->to_string()),
                fmt::format("delete the whole: plz delete {}", execution.spec.parent_id->to_string()));
  if (execution.state != ExecutionState::finished)
    return fail(ErrorCode::conflict,
                fmt::format("execution {} has not finished: it is {}", id.to_string(), to_string(execution.state)),
                fmt::format("end it first: plz stop {}", id.to_string()));
  std::vector<ExecutionId> ids{id};
  if (execution.spec.is_composite()) {
    PLZ_ASSIGN(auto members, parts(id));
    for (const Execution& part : members) ids.push_back(part.id);
  }
  for (ExecutionId each : ids) {
    PLZ_ASSIGN(auto attempts, database_.executions().attempts(each));
    for (const Attempt& attempt : attempts) {
      PLZ_TRY(logs.remove(attempt.id.uuid()));
      PLZ_TRY(logs.remove(preparation_log_of(attempt.id)));
    }
  }
  return database_.executions().remove(id);
}

std::string ExecutionService::measures_json(const Execution& execution, const std::string& prefix) const {
  std::vector<MeasureEvent> events;
  auto collect = [&](const Execution& e) {
    if (!e.attempt_id) return;
    auto read = database_.measures().latest(*e.attempt_id, prefix, [&](const MeasureEvent& event) {
      events.push_back(event);
      // Of an execution over indices, each index has measures of its own.
      if (event.index) events.back().path = fmt::format("{}/{}", *event.index, event.path);
      return true;
    });
    if (!read) log_error("measures of {}: {}", e.id.to_string(), read.error().message);
  };
  if (!execution.spec.is_composite()) {
    collect(execution);
  } else if (auto members = parts(execution.id)) {
    for (const auto& part : *members) collect(part);
  }
  return measures_object(events);
}

std::string ExecutionService::document(const Execution& execution) const {
  return execution_document(execution, measures_json(execution, {}));
}

void ExecutionService::each_queued(const std::function<bool(const Execution&)>& visit) const {
  std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : queued_)
    if (!visit(entry.record.execution)) return;
}

void ExecutionService::each_assigned(const std::function<void(const Execution&, const Attempt&)>& visit) const {
  std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : assigned_)
    if (entry.attempt) visit(entry.record.execution, *entry.attempt);
}

size_t ExecutionService::unfinished() const {
  std::lock_guard lock(mutex_);
  return queued_.size() + assigned_.size();
}

bool ExecutionService::is_unfinished(ExecutionId id) const {
  std::lock_guard lock(mutex_);
  return queued_.contains(id) || assigned_.contains(id) || composites_.contains(id);
}

}  // namespace plz
