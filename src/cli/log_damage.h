// Tells a person what of a log is not what the job printed.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/interrupt.h"
#include "cli/messages.h"
#include "cli/session.h"

namespace plz {

// A warning for each part of a log, with its bytes; of many, the first few.
void warn_of_damage(Messages& messages, const std::vector<DamagedLog>& damage);

// Asks whether what was shown of the log, from this byte on, was damaged, and warns. An error: it could not be asked.
Result<bool> is_log_damaged(Session& session, Interrupt& interrupt, ExecutionId id, uint64_t offset);

}  // namespace plz
