// What may be submitted. The command line has checked its own configuration, in its own words; this holds for
// every client.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "wire/execution_json.h"

namespace plz {

// A composite has at most this many parts: the command line says the same (cli/configuration_rules.cc).
inline constexpr int64_t kMostParts = 100'000;

// invalid, with the field and its rule.
Result<void> check_resources(const Resources& resources);

// invalid, with the field and its rule. A part of a composite is made by the controller, and by nobody else.
Result<void> check_submission(const Submission& submission);

}  // namespace plz
