// What a person sees of an execution from its submission to its end.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/interrupt.h"
#include "cli/session.h"
#include "store/blob_channel.h"

namespace plz {

// Waits for the end, also across the end of the controller: with LogFollower's patience. cancelled after an
// interrupt.
Result<Execution> wait_until_finished(Session& session, Interrupt& interrupt, ExecutionId id);

// The summary of measures as JSON text; none when there is none.
Result<std::optional<std::string>> summary_of(Session& session, ExecutionId id);

// Brings the output of a finished execution, which has one, to where the pattern says
// (output_place.h), tells the paths, and remembers the place.
Result<void> bring_output(Session& session, Interrupt& interrupt, const Execution& execution,
                          const std::string& pattern);

// After an interrupt while an output was fetched: nothing of it is there, and it can be fetched again.
void tell_how_to_get_output(Messages& messages, ExecutionId id);

// How to see an execution again that goes on without us.
void tell_how_to_reattach(Messages& messages, ExecutionId id);

// From "Streaming logs..." to "Done and dusted."; returns what plz is to exit with.
// Where its environment has to be prepared first, that is shown as well. `pattern` is where the output
// goes, with %e.
Result<int> attend(Session& session, Interrupt& interrupt, ExecutionId id, const EnvironmentRecipe& recipe,
                   const std::string& pattern);

}  // namespace plz
