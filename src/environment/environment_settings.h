// What DockerEnvironments is told.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/backoff.h"

namespace plz {

struct EnvironmentSettings {
  // Of this worker: times of last use, locks of builds. Made when needed.
  std::string directory;
  // What environments made by plz may take of the engine's disk before evict() removes some; 0: no limit.
  uint64_t limit_bytes = uint64_t{20} << 30;
  // The network of RUN in builds: "host", "none", "bridge" or a network's name; "": the engine's default.
  std::string build_network;
  // What plz/python and plz/pytorch are made from.
  std::string base_image = "debian:bookworm-slim";
  // Who has been naming an image for longer has gone.
  std::chrono::milliseconds naming_patience = std::chrono::seconds(60);
  // Between the tries of a pull or push that fails.
  BackoffSettings pauses{std::chrono::milliseconds(500), std::chrono::seconds(5)};
};

}  // namespace plz
