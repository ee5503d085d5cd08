// The private controller of a user: found on its unix socket, or started.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/controller_finder.h"
#include "cli/controller_start.h"
#include "cli/messages.h"
#include "os/lock_file.h"

namespace plz {

struct EmbeddedControllerSettings {
  std::string data_directory;  // prepared
  // Where this shell would have it listen, in a directory that is prepared; or why there is no such place, which
  // matters only if one has to be started.
  Result<std::string> socket_path;
  std::string program;  // plz-controller
  std::string version;  // of this plz: an older controller hands over to a new one
  EnvironmentVariables environment;
  std::chrono::milliseconds ping_timeout{10'000};
  std::chrono::milliseconds start_timeout{30'000};
  // How long one that uses the data directory without answering may take to end, or to answer; also
  // how long another plz may take to start one.
  std::chrono::milliseconds patience_with_another{30'000};
};

// One that runs is found wherever it listens: at the address that it recorded in the data directory
// (wire/controller_address.h) where the kernel says that this very process listens there, else where
// this shell would have it. Of many shells that start one at once, the lock DIR/start.lock lets one
// through; the others find what that one started. A controller that is killed while it starts is
// started again, some times.
class EmbeddedController final : public ControllerFinder, public ControllerLife {
 public:
  EmbeddedController(EmbeddedControllerSettings settings, Messages& messages);
  Result<Endpoint> find() override;
  bool embedded() const override { return true; }
  bool needs_start() const override;
  ControllerLife* life() override { return this; }

  Result<std::optional<Endpoint>> running() override;
  Result<std::optional<int64_t>> end() override;
  Result<std::optional<int64_t>> restart() override;

 private:
  enum class Found { absent, current, outdated };
  Result<std::optional<std::string>> listening() const;
  Result<Found> look();
  Result<LockFile> lock_starts() const;
  Result<void> start_or_replace();
  Result<std::optional<int64_t>> end_locked();
  Result<std::optional<int64_t>> end_controller();
  Result<void> end_worker();
  int64_t recorded_pid() const;
  Result<void> hand_over();
  Result<bool> wait_for_end_of_another();
  Result<void> start_patiently();
  Result<std::string> place_to_listen() const;
  Endpoint endpoint() const;

  const EmbeddedControllerSettings settings_;
  Messages& messages_;
  bool version_known_ = false;
  int64_t found_pid_ = 0;
  std::string found_socket_;
};

// Where plz-controller is: beside the running program, in ../libexec/plz or in $PATH. Empty:
// nowhere.
std::string find_controller_program(const EnvironmentVariables& environment);

}  // namespace plz
