// Measures, as append-only events.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/execution.h"

namespace plz {

// Thread-safe.
class MeasureRecords {
 public:
  virtual ~MeasureRecords() = default;
  // Events whose sequence is stored already (for this attempt) are skipped. Relaxed durability: the
  // worker keeps its copy until the attempt is finished.
  virtual Result<void> append(ExecutionId execution, AttemptId attempt, const std::vector<MeasureEvent>& events) = 0;
  // The latest event of each path (and index) of the attempt, sorted by index and path. `prefix`:
  // only paths that are it or lie below it. Calls back, so that 100,000 of them need no memory; the
  // callback returns false to end early.
  using OnEvent = std::function<bool(const MeasureEvent&)>;
  virtual Result<void> latest(AttemptId attempt, const std::string& prefix, const OnEvent& on_event) = 0;
  // Events in order of sequence, after `after`.
  virtual Result<std::vector<MeasureEvent>> events(AttemptId attempt, const std::optional<std::string>& path,
                                                   uint64_t after, size_t limit) = 0;
  virtual Result<uint64_t> last_sequence(AttemptId attempt) = 0;
};

}  // namespace plz
