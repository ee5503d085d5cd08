// Submits once, however often it has to try.
#pragma once

#include "base/result.h"
#include "cli/interrupt.h"
#include "cli/session.h"
#include "wire/execution_json.h"

namespace plz {

// Tries again while the controller cannot be reached or cannot store it, and says so; a key of its own makes that
// start nothing twice.
Result<ExecutionId> submit(Session& session, Interrupt& interrupt, const Submission& submission);

}  // namespace plz
