// Which Python interpreter a command would run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/execution.h"

namespace plz {

// The interpreter's absolute path as PATH gives it (a virtual environment's is a link, and is not
// followed), or nullopt: no Python as far as one can see. Looks at the program itself, at the #! line of
// a script, and at the first word of what is given to `sh -c`. Relative programs lie below `directory`.
std::optional<std::string> python_of_command(const std::vector<std::string>& command,
                                             const EnvironmentVariables& environment, const std::string& directory);

// Whether what the command starts first is a file of the captured code: its path is a relative one.
bool starts_captured_file(const std::vector<std::string>& command);

}  // namespace plz
