// What of executions' logs is not what was acknowledged: their checksums (logs/log_sums.h) tell, and the attempt's
// record of how long its log was when it ended.
#pragma once

#include <vector>

#include "base/result.h"
#include "controller/services/execution_service.h"
#include "controller/services/log_follower.h"
#include "logs/log_store.h"
#include "wire/check_json.h"

namespace plz {

struct LogsFound {
  uint64_t logs = 0, bytes = 0;  // that were looked at
  std::vector<DamagedLog> damage;
};

// Reads the log of the execution's current attempt, from the piece that `from` lies in. No more than `kMostDamage` are
// told of one log.
constexpr size_t kMostDamage = 100;
Result<LogsFound> look_at_log(const ExecutionService& executions, LogStore& logs, const Execution& execution,
                              LogKind kind, uint64_t from);

// What is damaged of a log whose attempt has not ended counts as missing, so that its worker sends it again; the damage
// says so.
Result<void> have_sent_again(LogStore& logs, LogsFound& found, const Execution& execution, LogKind kind);

}  // namespace plz
