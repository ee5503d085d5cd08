#include "controller/services/attempt_reports.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/log.h"

namespace plz {

AttemptReports::AttemptReports(Database& database, ExecutionService& executions, WorkerService& workers,
                               BlobService& blobs, LogStore& logs, Notifier& notifier, const Clock& clock)
    : database_(database),
      executions_(executions),
      workers_(workers),
      blobs_(blobs),
      logs_(logs),
      notifier_(notifier),
      clock_(clock) {}

// It is durable then, and whoever follows it has its end.
Result<void> AttemptReports::seal_preparation_log(AttemptId id, const Execution& execution) {
  if (!execution.spec.snapshot.environment.uses_container()) return {};
  const Uuid log = preparation_log_of(id);
  PLZ_ASSIGN(LogState state, logs_.state(log));
  if (state.bytes == 0 || state.sealed) return {};
  return logs_.seal(log);
}

Result<void> AttemptReports::started(AttemptId id, const AttemptMoment& moment) {
  PLZ_ASSIGN(Execution execution, executions_.of_attempt(id));
  PLZ_TRY(seal_preparation_log(id, execution));
  auto changed = executions_.change(
      execution.id,
      [&](Execution& e) -> Result<void> {
        if (e.attempt_id != id || e.state != ExecutionState::starting) return {};
        e.state = ExecutionState::running;
        e.waiting_for.clear();
        e.times.started = moment.time;
        if (moment.image) e.image = moment.image;
        return {};
      },
      Durability::relaxed);
  if (!changed) return fail(std::move(changed).error());
  return {};
}

Result<void> AttemptReports::command_ended(AttemptId id, Timestamp time) {
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

Result<void> AttemptReports::waiting(AttemptId id, const std::string& waiting_for) {
  PLZ_ASSIGN(Execution execution, executions_.of_attempt(id));
  auto changed = executions_.change(
      execution.id,
      [&](Execution& e) -> Result<void> {
        if (e.attempt_id == id && e.state == ExecutionState::starting) e.waiting_for = waiting_for;
        return {};
      },
      Durability::relaxed);
  if (!changed) return fail(std::move(changed).error());
  return {};
}

Result<void> AttemptReports::measures(AttemptId id, const std::vector<MeasureEvent>& events) {
  PLZ_ASSIGN(Attempt attempt, executions_.attempt(id));
  PLZ_TRY(check_not_over(attempt, events));
  PLZ_TRY(database_.measures().append(attempt.execution_id, id, events));
  notifier_.notify(attempt.execution_id.uuid());
  return {};
}

// What was stored before may be told again.
Result<void> AttemptReports::check_not_over(const Attempt& attempt, const std::vector<MeasureEvent>& events) {
  PLZ_ASSIGN(Execution execution, executions_.get(attempt.execution_id));
  if (execution.state != ExecutionState::finished) return {};
  PLZ_ASSIGN(uint64_t last, database_.measures().last_sequence(attempt.id));
  auto is_stored = [&](const MeasureEvent& event) { return event.sequence <= last; };
  if (std::all_of(events.begin(), events.end(), is_stored)) return {};
  return fail(ErrorCode::conflict,
              fmt::format("execution {} has finished: it takes no more measures", execution.id.to_string()));
}

Result<void> AttemptReports::check_output(const std::optional<Digest>& tree) {
  if (!tree) return {};
  PLZ_ASSIGN(bool present, blobs_.has(*tree));
  if (present) return {};
  return fail(ErrorCode::conflict, fmt::format("the store lacks the output tree {}", tree->hex()),
              "send it first, under a lease");
}

// As long as the worker has the bytes: after this report it has none. Of a huge log the end, so that a report does not
// take minutes.
Result<void> AttemptReports::mend_log(AttemptId id) {
  constexpr uint64_t kMostBytes = 1u << 30;
  PLZ_ASSIGN(const LogState log, logs_.state(id.uuid()));
  if (log.sealed) return {};
  PLZ_ASSIGN(const bool is_damaged, logs_.take_anew(id.uuid(), log.bytes > kMostBytes ? log.bytes - kMostBytes : 0));
  if (is_damaged) log_warning("the log of attempt {} is damaged, and its worker sends it again", id.to_string());
  return {};
}

Result<void> AttemptReports::finish(AttemptId id, const FinishReport& report) {
  PLZ_ASSIGN(Execution execution, executions_.of_attempt(id));
  if (execution.state == ExecutionState::finished) return {};  // a repeated report
  PLZ_TRY(mend_log(id));
  PLZ_ASSIGN(LogState log, logs_.state(id.uuid()));
  if (log.bytes < report.log_bytes)
    return fail(ErrorCode::conflict,
                fmt::format("the log of attempt {} has {} of {} bytes", id.to_string(), log.bytes, report.log_bytes));
  PLZ_TRY(check_output(report.output_tree));
  if (!report.measures.empty()) PLZ_TRY(database_.measures().append(execution.id, id, report.measures));
  if (log.bytes > 0) PLZ_TRY(logs_.seal(id.uuid()));
  PLZ_TRY(seal_preparation_log(id, execution));
  PLZ_ASSIGN(Attempt attempt, executions_.attempt(id));
  attempt.started = report.started;
  attempt.ended = report.ended;
  attempt.log_bytes = log.bytes;
  attempt.log_complete = true;
  const std::string why_stopped = workers_.why_ended(attempt.instance_id);
  auto changed = executions_.change(
      execution.id,
      [&](Execution& e) -> Result<void> {
        if (e.attempt_id != id || e.state == ExecutionState::finished) return {};
        e.state = ExecutionState::finished;
        e.waiting_for.clear();
        e.outcome = report.outcome;
        if (e.outcome->kind == OutcomeKind::stopped && (e.outcome->reason.empty() || e.outcome->reason.front() == '\n'))
          e.outcome->reason.insert(0, why_stopped);
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
  workers_.attempt_ended(attempt, "the execution has finished meanwhile: its output is stored");
  return {};
}

}  // namespace plz
