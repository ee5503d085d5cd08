// Finds the controller that this user's commands speak to, and starts it where that is ours to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/configuration.h"
#include "cli/messages.h"
#include "net/http_client.h"

namespace plz {

// The life of a private controller, where a person sees to it. Used by one thread at a time.
class ControllerLife {
 public:
  virtual ~ControllerLife() = default;
  // Of one that runs; starts nothing. nullopt: none does.
  virtual Result<std::optional<Endpoint>> running() = 0;
  // Ends it, and its worker; the jobs go on, for the next ones. Its process; nullopt: none ran.
  virtual Result<std::optional<int64_t>> end() = 0;
  // The same, and starts another with this shell's environment, with no other shell's in between.
  virtual Result<std::optional<int64_t>> restart() = 0;
};

// Used by one thread at a time.
class ControllerFinder {
 public:
  virtual ~ControllerFinder() = default;
  // A controller that accepted a connection a moment ago. Call it again when it has gone away: it
  // is started anew. unavailable: it cannot be reached or started; invalid: something about the
  // data directory or the socket's directory forbids it.
  virtual Result<Endpoint> find() = 0;
  // A private controller on this machine: it may be given the shell's environment.
  virtual bool embedded() const = 0;
  // find() would have to start one.
  virtual bool needs_start() const { return false; }
  // nullptr: it is not this user's to see to.
  virtual ControllerLife* life() { return nullptr; }
};

struct FinderSettings {
  std::chrono::milliseconds ping_timeout{10'000};
  // How long the start of one, or the end of another, may take; absent: as long as is usual.
  std::optional<std::chrono::milliseconds> patience;
  std::string data_directory;  // absolute; of the embedded controller
  EnvironmentVariables environment;
};

// The embedded one when the configuration names no host. `messages` outlives it.
Result<std::unique_ptr<ControllerFinder>> make_controller_finder(const Configuration& configuration,
                                                                 FinderSettings settings, Messages& messages);

}  // namespace plz
