#include "db/execution_records.h"

namespace plz {

Result<std::vector<ExecutionRecord>> ExecutionRecords::list(const ExecutionFilter& filter,
                                                            std::optional<ExecutionId> before, size_t limit) {
  std::vector<ExecutionRecord> records;
  PLZ_TRY(each(filter, before, limit, [&](const ExecutionRecord& record) {
    records.push_back(record);
    return true;
  }));
  return records;
}

}  // namespace plz
