// The ids of plz's nouns.
#pragma once

#include "base/uuid.h"

namespace plz {

using ExecutionId = StrongId<struct ExecutionIdTag>;
using AttemptId = StrongId<struct AttemptIdTag>;
using InstanceId = StrongId<struct InstanceIdTag>;  // a worker is named by its instance
using LeaseId = StrongId<struct LeaseIdTag>;

// The name of the attempt's preparation log (what pulling and building its image printed) in the log
// store, beside the attempt's own: its id with version 8 in place of 7, so that it can be told from it.
Uuid preparation_log_of(AttemptId attempt);

}  // namespace plz
