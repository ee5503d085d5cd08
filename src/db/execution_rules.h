// What every database checks before it stores something, and how it words a refusal.
#pragma once

#include "base/result.h"
#include "db/execution_records.h"
#include "model/execution.h"

namespace plz {

Error no_such_execution(ExecutionId id);
Error not_finished(ExecutionId id);
Error exists_already(ExecutionId id);
Result<void> check_new(const Execution& execution);
// Of a finished execution: conflict when anything but the spec, which is not stored anew, differs.
Result<void> check_unchanged(const Execution& stored, const Execution& wanted);
// conflict unless the key stands for the same request as then, as far as both are known.
Result<void> check_same_request(const IdempotencyKey& key, const std::optional<Digest>& earlier, ExecutionId id);
Error lacks_blob(const Digest& digest);
Error not_replaced(const Uuid& pack);
Result<void> check_attempt(const Attempt& attempt, ExecutionId execution);

}  // namespace plz
