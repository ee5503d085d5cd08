// The environments that are on an engine, and which of them go.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/engine_client.h"
#include "environment/environment_settings.h"
#include "environment/environments.h"
#include "environment/last_use.h"

namespace plz {

struct ShelvedEnvironment {
  KeptEnvironment kept;
  std::vector<std::string> names;  // tags, or digests where there are no tags; the name it is found by is the last
  Timestamp used;
};

// Which go, in this order, so that what stays is within the limit: the least recently used first, none in use or used
// within `quiet`. Pure.
std::vector<ShelvedEnvironment> choose_evicted(std::vector<ShelvedEnvironment> shelved, uint64_t limit_bytes,
                                               Timestamp now, std::chrono::seconds quiet);

// nullopt: not of plz, or somebody gave it a name of his own. Neither in use nor used. Pure.
std::optional<ShelvedEnvironment> shelved_environment(const ImageSummary& image);

// Thread-safe.
class EnvironmentShelf {
 public:
  EnvironmentShelf(EngineClient& engine, const EnvironmentSettings& settings, LastUse& uses, const Clock& clock)
      : engine_(engine), settings_(settings), uses_(uses), clock_(clock) {}

  Result<std::vector<ShelvedEnvironment>> list();
  // conflict: it is in use; not_found: plz did not make it.
  Result<void> remove(const std::string& image_id);
  Result<void> evict();

 private:
  Result<void> take_down(const ShelvedEnvironment& environment);

  EngineClient& engine_;
  const EnvironmentSettings& settings_;
  LastUse& uses_;
  const Clock& clock_;
};

}  // namespace plz
