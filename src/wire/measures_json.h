// Measures on the wire.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/execution.h"

namespace plz {

// Nests events by their paths: "epoch/3/loss" is {"epoch": {"3": {"loss": …}}}. Where a path is both a
// value and a directory, the value stands under "". Values are shown as strict_json.
std::string measures_object(const std::vector<MeasureEvent>& events);

// {"events": [{"sequence", "path", "time", "value", "index"}], …}; value keeps its exact text.
std::string measure_events_to_json(const std::vector<MeasureEvent>& events);
Result<std::vector<MeasureEvent>> measure_events_from_json(std::string_view json);

}  // namespace plz
