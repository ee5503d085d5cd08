#include "controller/services/execution_service.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/log.h"
#include "wire/json_text.h"
#include "wire/measures_json.h"

namespace plz {
namespace {

std::string event_of(ExecutionId id, ExecutionState state, const ExecutionSpec& spec) {
  return fmt::format(R"({{"execution_id": "{}", "state": "{}", "user": {}, "project": {}}})", id.to_string(),
                     to_string(state), quote_json(spec.user), quote_json(spec.project));
}

Outcome stopped_while_queued() {
  return {OutcomeKind::stopped, std::nullopt, std::nullopt, false, "stopped while it was queued"};
}

Error no_such_execution(ExecutionId id) {
  return Error{ErrorCode::not_found, "there is no execution " + id.to_string(),
               "plz history lists those of this project, plz history --all all of them"};
}

}  // namespace

ExecutionService::ExecutionService(Database& database, Notifier& notifier, EventLog& events, const Clock& clock)
    : database_(database), notifier_(notifier), events_(events), clock_(clock) {}

void ExecutionService::Composite::add_ends(const Outcome& outcome, size_t count) {
  if (count == 0) return;
  finished += count;
  if (outcome.succeeded()) return;
  failed += count;
  if (outcome.kind == OutcomeKind::stopped) stopped = true;
  if (!first_exit_status) first_exit_status = outcome.exit_status;
}

Uuid ExecutionService::any_execution() { return Uuid(); }

Result<void> ExecutionService::load() {
  // What is newer comes later in the queue and in history, also where the clock was set back meanwhile.
  PLZ_ASSIGN(auto newest, database_.executions().list({}, std::nullopt, 1));
  if (!newest.empty()) ExecutionId::stay_above(newest.front().execution.id);
  std::vector<ExecutionRecord> in_hand;
  PLZ_TRY(database_.executions().each_unfinished([&](const ExecutionRecord& record) {
    if (record.execution.attempt_id) in_hand.push_back(record);
    else enter(record, std::nullopt);
    return true;
  }));
  for (const auto& record : in_hand) {
    PLZ_ASSIGN(auto attempt, database_.executions().find_attempt(*record.execution.attempt_id));
    enter(record, attempt);
  }
  PLZ_ASSIGN(auto composites,
             database_.executions().list({.unfinished_only = true, .top_level_only = true}, std::nullopt, 10'000'000));
  std::erase_if(composites, [](const auto& record) { return !record.execution.spec.is_composite(); });
  for (const auto& record : composites) PLZ_TRY(load_composite(record));
  // An earlier controller may have ended between a part's change and that of the whole.
  for (const auto& record : composites) update_composite(record.execution.id);
  return {};
}

Result<void> ExecutionService::load_composite(const ExecutionRecord& record) {
  Composite tally;
  PLZ_TRY(each_part(record.execution.id, std::nullopt, [&](const Execution& part) {
    ++tally.parts;
    if (part.times.assigned) ++tally.started;
    if (!tally.image) tally.image = part.image;
    if (part.state == ExecutionState::finished) tally.add_ends(*part.outcome, 1);
    return true;
  }));
  enter(record, std::nullopt);
  std::lock_guard lock(mutex_);
  tallies_[record.execution.id] = std::move(tally);
  return {};
}

NewExecution ExecutionService::prepare(Submission submission) const {
  NewExecution prepared;
  Execution& execution = prepared.execution;
  execution.id = ExecutionId::make(clock_);
  execution.spec = std::move(submission.spec);
  execution.times.submitted = clock_.now();
  prepared.shell = {std::move(submission.shell_environment), std::move(submission.process_attributes)};
  prepared.document = execution_document(execution, "{}");
  prepared.required.push_back(execution.spec.snapshot.code_tree);
  if (execution.spec.input) prepared.required.push_back(execution.spec.input->tree);
  if (!execution.spec.is_composite()) return prepared;
  const IndexRange range = *execution.spec.parallel_indices_range;
  const int64_t step = std::max<int64_t>(1, execution.spec.indices_per_execution);
  // Not beyond the end: the largest of numbers are indices too.
  for (int64_t from = range.from, count = 0; from < range.to; from += count) {
    count = std::min(step, range.to - from);
    prepared.parts.push_back({ExecutionId::make(clock_), IndexRange{from, from + count}});
  }
  return prepared;
}

Result<ExecutionId> ExecutionService::submit(Submission submission, const IdempotencyKey& idempotency_key) {
  std::vector<NewExecution> submitted;
  submitted.push_back(prepare(std::move(submission)));
  const Execution& execution = submitted[0].execution;
  const auto announcement = references_.announce(execution);
  PLZ_ASSIGN(ExecutionId id, database_.executions().create(submitted, idempotency_key));
  if (id != execution.id) return id;  // a repeated request
  // Version 0 is what create() stores.
  const ExecutionRecord record{execution, 0};
  if (!execution.spec.is_composite()) {
    enter(record, std::nullopt);
    tell(execution);
    return id;
  }
  std::vector<ExecutionId> parts;
  for (const NewPart& part : submitted[0].parts) parts.push_back(part.id);
  enter(record, std::nullopt);
  {
    std::lock_guard lock(mutex_);
    tallies_[id].parts = parts.size();
    queue_.add_parts(id, execution.spec.resources, parts);
  }
  // It may have been stopped meanwhile, by who found it in a list.
  PLZ_ASSIGN(auto now, database_.executions().find(id));
  if (now && now->version > record.version) remember(*now, std::nullopt);
  tell(execution);
  tell_of_parts(execution, parts, ExecutionState::queued);
  return id;
}

void ExecutionService::enter(const ExecutionRecord& record, const std::optional<Attempt>& attempt) {
  std::lock_guard lock(mutex_);
  put(record, attempt);
}

void ExecutionService::remember(const ExecutionRecord& record, const std::optional<Attempt>& attempt) {
  const ExecutionId id = record.execution.id;
  std::lock_guard lock(mutex_);
  const auto assigned = assigned_.find(id);
  const auto composite = composites_.find(id);
  const bool is_assigned = assigned != assigned_.end(), is_composite = composite != composites_.end();
  if (!is_assigned && !is_composite && !queue_.contains(id)) return;
  if (is_assigned && assigned->second.record.version > record.version) return;
  if (is_composite && composite->second.version > record.version) return;
  put(record, attempt ? attempt : is_assigned ? assigned->second.attempt : std::nullopt);
}

void ExecutionService::put(const ExecutionRecord& record, const std::optional<Attempt>& attempt) {
  const Execution& execution = record.execution;
  const bool is_finished = execution.state == ExecutionState::finished;
  if (execution.spec.is_composite()) {
    if (is_finished) composites_.erase(execution.id);
    else composites_[execution.id] = record;
    return;
  }
  if (execution.state == ExecutionState::queued) {
    assigned_.erase(execution.id);
    queue_.add(execution);
    if (!execution.spec.parent_id) queued_[execution.id] = record;
    return;
  }
  queue_.remove(execution.id);
  queued_.erase(execution.id);
  if (is_finished) assigned_.erase(execution.id);
  else assigned_[execution.id] = Entry{record, attempt};
}

Result<ExecutionRecord> ExecutionService::read(ExecutionId id) const {
  {
    std::lock_guard lock(mutex_);
    if (auto it = queued_.find(id); it != queued_.end()) return it->second;
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

Result<void> ExecutionService::each_part(ExecutionId composite, std::optional<int64_t> from_index,
                                         const VisitPart& visit) const {
  return database_.executions().each_part(composite, from_index,
                                          [&](const ExecutionRecord& record) { return visit(record.execution); });
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
    // A part may have been stopped with its composite in the moment between its storing and its entering the queue.
    if (after.state == ExecutionState::finished) remember(record, std::nullopt);
    changed = std::move(after);
    return true;
  }
  if (before.state == ExecutionState::finished)
    return fail(ErrorCode::conflict, fmt::format("execution {} has finished", id.to_string()));
  if (before.state != after.state && !can_transition(before.state, after.state))
    return fail(ErrorCode::conflict, fmt::format("execution {} cannot go from {} to {}", id.to_string(),
                                                 to_string(before.state), to_string(after.state)));
  const auto announcement = references_.announce(after);
  // History shows no parts.
  const bool has_document = after.state == ExecutionState::finished && !after.spec.parent_id;
  std::string text = has_document ? document(after) : std::string();
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
  events_.append("executions", event_of(execution.id, execution.state, execution.spec));
  notifier_.notify(execution.id.uuid());
  if (execution.spec.parent_id) notifier_.notify(execution.spec.parent_id->uuid());
  notifier_.notify(any_execution());
}

void ExecutionService::tell_of_parts(const Execution& whole, const std::vector<ExecutionId>& parts,
                                     ExecutionState state) {
  for (ExecutionId part : parts) {
    events_.append("executions", event_of(part, state, whole.spec));
    notifier_.notify(part.uuid());
  }
  notifier_.notify(whole.id.uuid());
  notifier_.notify(any_execution());
}

void ExecutionService::part_changed(const Execution& before, const Execution& after) {
  const ExecutionId composite = *after.spec.parent_id;
  {
    std::lock_guard lock(mutex_);
    Composite& tally = tallies_[composite];
    if (!before.times.assigned && after.times.assigned) ++tally.started;
    if (!tally.image) tally.image = after.image;
    if (after.state == ExecutionState::finished) tally.add_ends(*after.outcome, 1);
    const auto whole = composites_.find(composite);
    if (whole != composites_.end() && !has_news_for(whole->second.execution)) return;
  }
  update_composite(composite);
}

// What update_composite() would come to, without a look at the database for each of many parts.
bool ExecutionService::has_news_for(const Execution& composite) const {
  const Composite& tally = tallies_.at(composite.id);
  return tally.finished >= tally.parts || composite.image != tally.image ||
         (composite.state == ExecutionState::queued && tally.started > 0) ||
         composite.state == ExecutionState::starting;
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
  if (execution.spec.is_composite()) return request_stop_of_parts(execution);
  if (execution.state == ExecutionState::finished) return std::vector<Execution>();
  PLZ_ASSIGN(Execution changed, change(
                                    id,
                                    [&](Execution& e) -> Result<void> {
                                      if (e.state == ExecutionState::finished) return {};
                                      e.stop_requested = true;
                                      if (e.state != ExecutionState::queued) return {};
                                      e.state = ExecutionState::finished;
                                      e.outcome = stopped_while_queued();
                                      e.times.finished = clock_.now();
                                      return {};
                                    },
                                    Durability::durable));
  std::vector<Execution> in_hand;
  if (changed.state != ExecutionState::finished) in_hand.push_back(std::move(changed));
  return in_hand;
}

// All at once: what change() does for each of them would take a hundred thousand transactions.
Result<std::vector<Execution>> ExecutionService::request_stop_of_parts(const Execution& composite) {
  const Outcome outcome = stopped_while_queued();
  PLZ_ASSIGN(const StoppedParts stopped, database_.executions().stop_parts(composite.id, outcome, clock_.now()));
  {
    std::lock_guard lock(mutex_);
    queue_.remove_all(stopped.ended);
    tallies_[composite.id].add_ends(outcome, stopped.ended.size());
  }
  std::vector<Execution> in_hand;
  for (ExecutionId id : stopped.in_hand) {
    PLZ_ASSIGN(auto record, database_.executions().find(id));
    if (!record) continue;
    remember(*record, std::nullopt);
    if (record->execution.state != ExecutionState::finished) in_hand.push_back(std::move(record->execution));
  }
  tell_of_parts(composite, stopped.ended, ExecutionState::finished);
  if (!stopped.ended.empty()) update_composite(composite.id);
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
  PLZ_TRY(each_part(id, std::nullopt, [&](const Execution& part) {
    if (part.attempts > 0) ids.push_back(part.id);
    return true;
  }));
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
  if (!execution.spec.is_composite())
    return execution.attempt_id ? measures_of(execution.id, *execution.attempt_id, prefix) : measures_object({});
  std::vector<std::pair<ExecutionId, AttemptId>> tried;
  auto read = each_part(execution.id, std::nullopt, [&](const Execution& part) {
    if (part.attempt_id) tried.emplace_back(part.id, *part.attempt_id);
    return true;
  });
  if (!read) log_error("parts of {}: {}", execution.id.to_string(), read.error().message);
  // Their indices differ, and follow each other.
  std::string joined = "{";
  for (const auto& [part, attempt] : tried) {
    const std::string measures = measures_of(part, attempt, prefix);
    const std::string_view members = std::string_view(measures).substr(1, measures.size() - 2);
    if (members.empty()) continue;
    if (joined.size() > 1) joined += ", ";
    joined += members;
  }
  return joined + "}";
}

std::string ExecutionService::measures_of(ExecutionId id, AttemptId attempt, const std::string& prefix) const {
  std::vector<MeasureEvent> events;
  auto read = database_.measures().latest(attempt, prefix, [&](const MeasureEvent& event) {
    events.push_back(event);
    // Of an execution over indices, each index has measures of its own.
    if (event.index) events.back().path = fmt::format("{}/{}", *event.index, event.path);
    return true;
  });
  if (!read) log_error("measures of {}: {}", id.to_string(), read.error().message);
  return measures_object(events);
}

std::string ExecutionService::document(const Execution& execution) const {
  return execution_document(execution, measures_json(execution, {}));
}

void ExecutionService::each_queued(const ExecutionQueue::Visit& visit) const {
  std::lock_guard lock(mutex_);
  queue_.each(visit);
}

size_t ExecutionService::queued_before(ExecutionId id) const {
  std::lock_guard lock(mutex_);
  return queue_.older_than(id);
}

bool ExecutionService::is_queued(ExecutionId id) const {
  std::lock_guard lock(mutex_);
  return queue_.contains(id);
}

void ExecutionService::each_assigned(const std::function<void(const Execution&, const Attempt&)>& visit) const {
  std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : assigned_)
    if (entry.attempt) visit(entry.record.execution, *entry.attempt);
}

size_t ExecutionService::unfinished() const {
  std::lock_guard lock(mutex_);
  return queue_.size() + assigned_.size();
}

bool ExecutionService::is_unfinished(ExecutionId id) const {
  std::lock_guard lock(mutex_);
  return queue_.contains(id) || assigned_.contains(id) || composites_.contains(id);
}

}  // namespace plz
