#include "db/memory/memory_executions.h"

#include <algorithm>

#include "db/execution_rules.h"

namespace plz {
namespace {

bool matches(const Execution& execution, const ExecutionFilter& filter) {
  const ExecutionSpec& spec = execution.spec;
  return (!filter.user || *filter.user == spec.user) && (!filter.project || *filter.project == spec.project) &&
         (!filter.parent || filter.parent == spec.parent_id) &&
         (!filter.instance || filter.instance == execution.instance_id) &&
         (!filter.unfinished_only || execution.state != ExecutionState::finished) &&
         (!filter.top_level_only || !spec.parent_id);
}

// Parts that have no indices come first, as NULL does in SQL.
bool by_index(const ExecutionRecord& a, const ExecutionRecord& b) {
  auto key = [](const ExecutionRecord& record) {
    const auto& indices = record.execution.spec.indices;
    return std::pair(indices ? std::optional(indices->from) : std::nullopt, record.execution.id);
  };
  return key(a) < key(b);
}

// An attempt's id belongs to the execution that had it first.
void store_attempt(MemoryRecords& records, const Attempt& attempt) {
  auto [it, added] = records.attempts.try_emplace(attempt.id, attempt);
  if (!added && it->second.execution_id == attempt.execution_id) it->second = attempt;
}

void remove_one(MemoryRecords& records, ExecutionId id) {
  std::erase_if(records.measures, [&](const auto& each) { return records.attempts.at(each.first).execution_id == id; });
  std::erase_if(records.attempts, [&](const auto& each) { return each.second.execution_id == id; });
  std::erase_if(records.idempotency_keys, [&](const auto& each) { return each.second.execution == id; });
  records.executions.erase(id);
}

}  // namespace

Result<ExecutionId> MemoryExecutions::create(const std::vector<NewExecution>& executions,
                                             const IdempotencyKey& idempotency_key) {
  if (executions.empty()) return fail(ErrorCode::invalid, "there is no execution to create");
  const Execution& first = executions.front().execution;
  std::lock_guard lock(records_.mutex);
  auto earlier = records_.idempotency_keys.find({first.spec.user, idempotency_key.text});
  if (earlier != records_.idempotency_keys.end()) {
    PLZ_TRY(check_same_request(idempotency_key, earlier->second.request, earlier->second.execution));
    return earlier->second.execution;
  }
  for (const NewExecution& each : executions)
    for (const Digest& digest : each.required)
      if (!records_.blobs.count(digest)) return fail(lacks_blob(digest));
  std::map<ExecutionId, MemoryExecution> created;
  for (const NewExecution& each : executions) {
    PLZ_TRY(check_new(each.execution));
    MemoryExecution entry{{each.execution, 0}, each.shell, each.document.empty() ? "{}" : each.document};
    bool added = created.emplace(each.execution.id, std::move(entry)).second;
    if (!added || records_.executions.count(each.execution.id)) return fail(exists_already(each.execution.id));
    for (const NewPart& part : each.parts) {
      Execution whole = each.execution;
      whole.id = part.id;
      restrict_to_part(whole.spec, each.execution.id, part.indices);
      added = created.emplace(part.id, MemoryExecution{{std::move(whole), 0}, each.shell, "{}"}).second;
      if (!added || records_.executions.count(part.id)) return fail(exists_already(part.id));
    }
  }
  records_.executions.merge(created);
  ++records_.reference_changes;
  if (!idempotency_key.text.empty())
    records_.idempotency_keys[{first.spec.user, idempotency_key.text}] = {first.id, idempotency_key.request};
  return first.id;
}

Result<std::optional<ExecutionRecord>> MemoryExecutions::find(ExecutionId id) {
  std::lock_guard lock(records_.mutex);
  auto it = records_.executions.find(id);
  if (it == records_.executions.end()) return std::nullopt;
  return it->second.record;
}

std::vector<ExecutionRecord> MemoryExecutions::matching(const ExecutionFilter& filter,
                                                        std::optional<ExecutionId> before) const {
  std::lock_guard lock(records_.mutex);
  std::vector<ExecutionRecord> found;
  for (auto it = records_.executions.rbegin(); it != records_.executions.rend(); ++it)
    if ((!before || it->first < *before) && matches(it->second.record.execution, filter))
      found.push_back(it->second.record);
  if (filter.parent) std::sort(found.begin(), found.end(), by_index);
  return found;
}

Result<void> MemoryExecutions::each(const ExecutionFilter& filter, std::optional<ExecutionId> before, size_t limit,
                                    const Visit& visit) {
  for (const ExecutionRecord& record : matching(filter, before))
    if (limit-- == 0 || !visit(record)) return {};
  return {};
}

Result<void> MemoryExecutions::each_unfinished(const Visit& visit) {
  std::lock_guard lock(records_.mutex);
  for (const auto& [id, entry] : records_.executions) {
    const Execution& execution = entry.record.execution;
    if (execution.state == ExecutionState::finished || execution.spec.is_composite()) continue;
    if (!visit(entry.record)) return {};
  }
  return {};
}

Result<void> MemoryExecutions::each_part(ExecutionId composite, std::optional<int64_t> from_index, const Visit& visit) {
  for (const ExecutionRecord& part : matching({.parent = composite}, std::nullopt)) {
    const auto& indices = part.execution.spec.indices;
    if (from_index && (!indices || indices->from < *from_index)) continue;
    if (!visit(part)) return {};
  }
  return {};
}

Result<StoppedParts> MemoryExecutions::stop_parts(ExecutionId composite, const Outcome& outcome, Timestamp now) {
  const auto parts = matching({.parent = composite, .unfinished_only = true}, std::nullopt);
  StoppedParts stopped;
  std::lock_guard lock(records_.mutex);
  for (const ExecutionRecord& part : parts) {
    auto& [record, shell, document] = records_.executions.at(part.execution.id);
    Execution& execution = record.execution;
    if (execution.state == ExecutionState::finished) continue;
    const bool is_queued = execution.state == ExecutionState::queued;
    (is_queued ? stopped.ended : stopped.in_hand).push_back(execution.id);
    if (is_queued || !execution.stop_requested) ++record.version;
    execution.stop_requested = true;
    if (!is_queued) continue;
    execution.state = ExecutionState::finished;
    execution.outcome = outcome;
    execution.times.finished = now;
    shell = {};
  }
  return stopped;
}

Result<bool> MemoryExecutions::save(const Execution& execution, uint64_t expected_version,
                                    const std::optional<Attempt>& attempt, const std::string& document, Durability) {
  std::lock_guard lock(records_.mutex);
  auto it = records_.executions.find(execution.id);
  if (it == records_.executions.end()) return fail(no_such_execution(execution.id));
  auto& [record, shell, stored_document] = it->second;
  if (record.version != expected_version) return false;
  if (record.execution.state == ExecutionState::finished) PLZ_TRY(check_unchanged(record.execution, execution));
  if (attempt) {
    PLZ_TRY(check_attempt(*attempt, execution.id));
    store_attempt(records_, *attempt);
  }
  if (execution.output_tree != record.execution.output_tree) ++records_.reference_changes;
  ExecutionSpec spec = std::move(record.execution.spec);
  record.execution = execution;
  record.execution.spec = std::move(spec);
  ++record.version;
  if (!document.empty()) stored_document = document;
  if (execution.state == ExecutionState::finished) {
    shell = {};
    if (execution.attempt_id) records_.leases.erase(LeaseId(execution.attempt_id->uuid()));
  }
  return true;
}

Result<std::optional<Attempt>> MemoryExecutions::find_attempt(AttemptId id) {
  std::lock_guard lock(records_.mutex);
  auto it = records_.attempts.find(id);
  if (it == records_.attempts.end()) return std::nullopt;
  return it->second;
}

Result<std::vector<Attempt>> MemoryExecutions::attempts(ExecutionId id) {
  std::lock_guard lock(records_.mutex);
  std::vector<Attempt> found;
  for (const auto& [attempt_id, attempt] : records_.attempts)
    if (attempt.execution_id == id) found.push_back(attempt);
  std::sort(found.begin(), found.end(), [](const Attempt& a, const Attempt& b) { return a.number < b.number; });
  return found;
}

Result<SubmittingShell> MemoryExecutions::submitting_shell(ExecutionId id) {
  std::lock_guard lock(records_.mutex);
  auto it = records_.executions.find(id);
  return it == records_.executions.end() ? SubmittingShell{} : it->second.shell;
}

Result<void> MemoryExecutions::remove(ExecutionId id) {
  std::lock_guard lock(records_.mutex);
  if (!records_.executions.count(id)) return fail(no_such_execution(id));
  std::vector<ExecutionId> ids;
  for (const auto& [each, entry] : records_.executions) {
    const Execution& execution = entry.record.execution;
    if (each != id && execution.spec.parent_id != id) continue;
    if (execution.state != ExecutionState::finished) return fail(not_finished(each));
    ids.push_back(each);
  }
  for (const ExecutionId& each : ids) remove_one(records_, each);
  return {};
}

}  // namespace plz
