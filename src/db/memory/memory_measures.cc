#include "db/memory/memory_measures.h"

namespace plz {
namespace {

bool lies_below(const std::string& path, const std::string& prefix) {
  return prefix.empty() || path == prefix || path.compare(0, prefix.size() + 1, prefix + "/") == 0;
}

const std::map<uint64_t, MeasureEvent>& events_of(const MemoryRecords& records, AttemptId attempt) {
  static const std::map<uint64_t, MeasureEvent> kNone;
  auto it = records.measures.find(attempt);
  return it == records.measures.end() ? kNone : it->second;
}

}  // namespace

Result<void> MemoryMeasures::append(ExecutionId execution, AttemptId attempt, const std::vector<MeasureEvent>& events) {
  std::lock_guard lock(records_.mutex);
  auto it = records_.attempts.find(attempt);
  if (it == records_.attempts.end() || it->second.execution_id != execution)
    return fail(ErrorCode::not_found,
                "there is no attempt " + attempt.to_string() + " of execution " + execution.to_string());
  for (const MeasureEvent& event : events) records_.measures[attempt].emplace(event.sequence, event);
  return {};
}

Result<void> MemoryMeasures::latest(AttemptId attempt, const std::string& prefix, const OnEvent& on_event) {
  std::map<std::pair<std::optional<int64_t>, std::string>, MeasureEvent> latest;
  {
    std::lock_guard lock(records_.mutex);
    for (const auto& [sequence, event] : events_of(records_, attempt))
      if (lies_below(event.path, prefix)) latest[{event.index, event.path}] = event;
  }
  for (const auto& [key, event] : latest)
    if (!on_event(event)) break;
  return {};
}

Result<std::vector<MeasureEvent>> MemoryMeasures::events(AttemptId attempt, const std::optional<std::string>& path,
                                                         uint64_t after, size_t limit) {
  std::lock_guard lock(records_.mutex);
  std::vector<MeasureEvent> found;
  for (const auto& [sequence, event] : events_of(records_, attempt))
    if (sequence > after && (!path || *path == event.path) && found.size() < limit) found.push_back(event);
  return found;
}

Result<uint64_t> MemoryMeasures::last_sequence(AttemptId attempt) {
  std::lock_guard lock(records_.mutex);
  const auto& events = events_of(records_, attempt);
  return events.empty() ? 0 : events.rbegin()->first;
}

}  // namespace plz
