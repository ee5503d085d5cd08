#pragma once

#include "db/execution_records.h"
#include "db/memory/memory_records.h"

namespace plz {

class MemoryExecutions final : public ExecutionRecords {
 public:
  explicit MemoryExecutions(MemoryRecords& records) : records_(records) {}

  Result<ExecutionId> create(const std::vector<NewExecution>& executions,
                             const IdempotencyKey& idempotency_key) override;
  Result<std::optional<ExecutionRecord>> find(ExecutionId id) override;
  Result<void> each(const ExecutionFilter& filter, std::optional<ExecutionId> before, size_t limit,
                    const Visit& visit) override;
  Result<void> each_unfinished(const Visit& visit) override;
  Result<void> each_part(ExecutionId composite, std::optional<int64_t> from_index, const Visit& visit) override;
  Result<bool> save(const Execution& execution, uint64_t expected_version, const std::optional<Attempt>& attempt,
                    const std::string& document, Durability durability) override;
  Result<StoppedParts> stop_parts(ExecutionId composite, const Outcome& outcome, Timestamp now) override;
  Result<std::optional<Attempt>> find_attempt(AttemptId id) override;
  Result<std::vector<Attempt>> attempts(ExecutionId id) override;
  Result<SubmittingShell> submitting_shell(ExecutionId id) override;
  Result<void> remove(ExecutionId id) override;

 private:
  std::vector<ExecutionRecord> matching(const ExecutionFilter& filter, std::optional<ExecutionId> before) const;

  MemoryRecords& records_;
};

}  // namespace plz
