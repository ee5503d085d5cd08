// The filter of the code here, from what is configured.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/capture_filter.h"
#include "cli/session.h"

namespace plz {

// `output_template`: where the output of this run would go, absolute, with %e.
Result<PendingCodeFilter> start_code_filter(const Session& session, const std::string& output_template);

}  // namespace plz
