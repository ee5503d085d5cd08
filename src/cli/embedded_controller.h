// The private controller of a user: found on its unix socket, or started.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "cli/controller_finder.h"
#include "cli/messages.h"

namespace plz {

struct EmbeddedControllerSettings {
  std::string data_directory;  // prepared
  std::string socket_path;     // in a directory that is prepared
  std::string program;         // plz-controller
  std::string version;         // of this plz: an older controller hands over to a new one
  EnvironmentVariables environment;
  std::chrono::milliseconds ping_timeout{10'000};
  std::chrono::milliseconds start_timeout{30'000};
  // How long one that uses the data directory without answering may take to end, or to answer.
  std::chrono::milliseconds patience_with_another{30'000};
};

// Started as
//   PROGRAM --embedded --data-directory DIR --socket PATH --ready-fd N
// in a session of its own, with stdin from /dev/null, stdout and stderr appended to
// DIR/controller.log, and no variable that concerns a job. On descriptor N it writes "ready\n" once
// the socket accepts, or else why it cannot start. Of many that start at once, the lock
// DIR/start.lock lets one through; the others find what that one started.
class EmbeddedController final : public ControllerFinder {
 public:
  EmbeddedController(EmbeddedControllerSettings settings, Messages& messages);
  Result<Endpoint> find() override;
  bool embedded() const override { return true; }
  bool needs_start() const override;

 private:
  enum class Found { absent, current, outdated };
  Result<Found> look();
  Result<void> start_or_replace();
  Result<void> hand_over();
  Result<bool> wait_for_end_of_another();
  Result<void> start();
  Endpoint endpoint() const;

  const EmbeddedControllerSettings settings_;
  Messages& messages_;
  bool version_known_ = false;
  int64_t found_pid_ = 0;
};

// Where plz-controller is: beside the running program, in ../libexec/plz or in $PATH. Empty:
// nowhere.
std::string find_controller_program(const EnvironmentVariables& environment);

}  // namespace plz
