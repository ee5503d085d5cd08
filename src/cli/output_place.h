// Where the output of an execution goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/session.h"
#include "model/ids.h"

namespace plz {

// "output/%e" when nothing else is given; %e stands for the execution's id. Absolute.
std::string output_pattern(const std::optional<std::string>& given, std::string_view working_directory);

// The pattern with the id in place of each %e.
std::string expand_output_pattern(std::string_view pattern, ExecutionId id);

// What the next runs are not to capture as code: the directory above the first %e, which holds all
// outputs of this pattern; the output's own directory where that one holds `working_directory` too.
std::string output_root(std::string_view pattern, const std::string& directory, std::string_view working_directory);

// Call it when the directory exists. That it cannot be noted is told, and fails nothing.
void remember_output(Session& session, const std::string& pattern, const std::string& directory);

}  // namespace plz
