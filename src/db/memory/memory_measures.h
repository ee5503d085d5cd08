#pragma once

#include "db/measure_records.h"
#include "db/memory/memory_records.h"

namespace plz {

class MemoryMeasures final : public MeasureRecords {
 public:
  explicit MemoryMeasures(MemoryRecords& records) : records_(records) {}

  Result<void> append(ExecutionId execution, AttemptId attempt, const std::vector<MeasureEvent>& events) override;
  Result<void> latest(AttemptId attempt, const std::string& prefix, const OnEvent& on_event) override;
  Result<std::vector<MeasureEvent>> events(AttemptId attempt, const std::optional<std::string>& path, uint64_t after,
                                           size_t limit) override;
  Result<uint64_t> last_sequence(AttemptId attempt) override;

 private:
  MemoryRecords& records_;
};

}  // namespace plz
