// An attempt as a row.
#pragma once

#include "base/result.h"
#include "db/sqlite/connection.h"
#include "model/execution.h"

namespace plz {

inline constexpr const char* kAttemptColumns =
    "id, execution, instance, ordinal, gpu_ids, started, ended, log_bytes, log_complete ";
Result<Attempt> read_attempt(Statement& row);
// Inserts it, or replaces all but its ids.
Result<void> save_attempt(Connection& connection, const Attempt& attempt);

}  // namespace plz
