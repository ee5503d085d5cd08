// The steps that run and rerun share.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/interrupt.h"
#include "cli/preparation.h"
#include "cli/session.h"

namespace plz {

// A fixed directory is looked at before anything runs; one with %e will be new.
Result<void> check_output_pattern(const std::string& pattern);

// After an interrupt of the preparation: tells it, and returns what plz exits with.
int nothing_submitted(Session& session, const Interrupt& interrupt);

// Submits; then shows it to its end, or prints the id and returns at once: when detached, and for a
// composite.
Result<int> submit_and_attend(Session& session, Interrupt& interrupt, Prepared prepared, const std::string& pattern,
                              bool detach);

}  // namespace plz
