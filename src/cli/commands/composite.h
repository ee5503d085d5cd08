// What several commands do with the parts of a composite execution.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/session.h"
#include "model/execution.h"

namespace plz {

// By their indices.
Result<std::vector<Execution>> parts_of(Session& session, const Execution& composite);

// Each line with "parallel-N#" before it.
std::string prefix_lines(int64_t index, std::string_view text);
// The text once for each index of the part.
std::string prefixed_for_indices(const Execution& part, std::string_view text);

// The composite's own JSON with "parts": […].
std::string composite_json(const Execution& composite, const std::vector<Execution>& parts);

}  // namespace plz
