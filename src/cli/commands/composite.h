// What several commands do with the parts of a composite execution.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/session.h"
#include "model/execution.h"

namespace plz {

// By their indices, without what they have from the composite: of the spec, parent_id and indices only.
Result<std::vector<Execution>> parts_of(Session& session, ExecutionId composite);
// The same, whole, one after the other: of a hundred thousand, no two are held at once.
using OnPart = std::function<Result<void>(const Execution& part)>;
Result<void> each_part_of(Session& session, const Execution& composite, const OnPart& on_part);

// Each line with "parallel-N#" before it.
std::string prefix_lines(int64_t index, std::string_view text);
// The text once for each index of the part.
std::string prefixed_for_indices(const Execution& part, std::string_view text);

// Prints the composite's own JSON with "parts": […], on one line or indented.
Result<void> print_composite_json(Session& session, const Execution& composite, bool indented);

}  // namespace plz
