// The ids of plz's nouns.
#pragma once

#include "base/uuid.h"

namespace plz {

using ExecutionId = StrongId<struct ExecutionIdTag>;
using AttemptId = StrongId<struct AttemptIdTag>;
using InstanceId = StrongId<struct InstanceIdTag>;  // a worker is named by its instance
using LeaseId = StrongId<struct LeaseIdTag>;

}  // namespace plz
