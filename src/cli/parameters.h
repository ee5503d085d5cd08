// The parameters that a job is given.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/configuration.h"
#include "model/json_text.h"

namespace plz {

// The file's exact text, which must be one JSON object. Errors name the file; for malformed
// JSON it is "FILE:LINE:COLUMN: what is wrong". At most 64 MiB.
Result<JsonText> load_parameters_file(const std::string& path);

// From the configuration's file or object; none configured: {}.
Result<JsonText> load_parameters(const Configuration& configuration);

}  // namespace plz
