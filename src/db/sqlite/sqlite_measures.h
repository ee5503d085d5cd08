#pragma once

#include "db/measure_records.h"
#include "db/sqlite/sqlite_store.h"

namespace plz {

class SqliteMeasures final : public MeasureRecords {
 public:
  explicit SqliteMeasures(SqliteStore& store) : store_(store) {}

  Result<void> append(ExecutionId execution, AttemptId attempt, const std::vector<MeasureEvent>& events) override;
  Result<void> latest(AttemptId attempt, const std::string& prefix, const OnEvent& on_event) override;
  Result<std::vector<MeasureEvent>> events(AttemptId attempt, const std::optional<std::string>& path, uint64_t after,
                                           size_t limit) override;
  Result<uint64_t> last_sequence(AttemptId attempt) override;

 private:
  SqliteStore& store_;
};

}  // namespace plz
