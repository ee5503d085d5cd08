// One start of an embedded controller, as who waits for it sees it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/execution.h"

namespace plz {

struct ControllerStart {
  std::string program;         // plz-controller; empty: it was found nowhere
  std::string data_directory;  // prepared
  std::string socket_path;     // where it is to listen
  EnvironmentVariables environment;
  std::chrono::milliseconds timeout{30'000};
};

struct FailedStart {
  std::string words;      // why, as it said itself; else the last line of its log since; may be empty
  std::string killed_by;  // the signal; empty: it ended by itself
  // It had words for whoever waits: another start would end in the same way.
  bool explained = false;
};

// Started as
//   PROGRAM --embedded --data-directory DIR --socket PATH --ready-fd N
// in a session of its own, with stdin from /dev/null, stdout and stderr appended to
// DIR/controller.log, and no variable that concerns a job. On descriptor N it writes "ready\n" once
// the socket accepts, or else why it cannot start. nullopt: it is ready. not_found: there is no such
// program; timeout: it neither came up nor ended, and may still come up.
Result<std::optional<FailedStart>> start_controller(const ControllerStart& start);

std::string controller_log_path(const std::string& data_directory);

}  // namespace plz
