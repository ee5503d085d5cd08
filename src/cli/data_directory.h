// Where plz keeps its data, and where the embedded controller listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/execution.h"

namespace plz {

// $PLZ_DATA_DIR, else $XDG_DATA_HOME/plz, else $HOME/.local/share/plz; absolute. invalid when none
// of the three is set. Nothing is created.
Result<std::string> data_directory_of(const EnvironmentVariables& environment, std::string_view working_directory);

// Creates it (0700) and checks that the embedded controller can live there: ours, writable, on no
// network file system. The errors say what to do.
Result<void> prepare_data_directory(const std::string& path);

// The socket of the controller of this data directory: in $XDG_RUNTIME_DIR/plz where that exists
// and is ours, else in /tmp/plz-UID. The directory is created (0700); one that is a link, another
// user's or open to others is refused. Two data directories have two sockets.
Result<std::string> socket_path_of(const std::string& data_directory, const EnvironmentVariables& environment,
                                   std::string_view temporary_directory = "/tmp");

// A directory of plz's own for files that others must not touch: made with mode 0700 or checked.
Result<void> prepare_private_directory(const std::string& path);
// Whether it is there, and would pass.
bool is_private_directory(const std::string& path);

}  // namespace plz
