// The environments that are on an engine, and which of them go.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/engine_client.h"
#include "environment/docker/holds.h"
#include "environment/docker/image_forest.h"
#include "environment/environment_settings.h"
#include "environment/environments.h"
#include "environment/last_use.h"

namespace plz {

struct ShelvedEnvironment {
  KeptEnvironment kept;
  std::vector<std::string> names;  // tags but holds; the name it is found by is the last
  std::string hold;                // ours; "": we do not need it
  Timestamp used;
  bool has_label = false;          // so that its containers have it too
  bool is_of_others = false;       // somebody else holds it
  bool is_of_earlier_plz = false;  // whose needs nothing shows: only room counts
  uint64_t base_bytes = 0;         // of what it was built upon
};

// Which go, in this order, so that what stays is within the limit: the least recently used first, none in use or used
// within `quiet`, none that another stands on. Pure.
std::vector<ShelvedEnvironment> choose_evicted(std::vector<ShelvedEnvironment> shelved, ImageForest forest,
                                               uint64_t limit_bytes, Timestamp now, std::chrono::seconds quiet);

// Which of them are given up where only these images are needed; in this order. Pure.
std::vector<KeptEnvironment> choose_unneeded(std::vector<ShelvedEnvironment> shelved, ImageForest forest,
                                             const std::vector<std::string>& needed);

// nullopt: not of plz, or somebody gave it a name of his own. Neither in use nor used. Pure.
std::optional<ShelvedEnvironment> shelved_environment(const ImageSummary& image, const std::string& holder);

// Thread-safe.
class EnvironmentShelf {
 public:
  EnvironmentShelf(EngineClient& engine, const EnvironmentSettings& settings, Holds& holds, LastUse& uses,
                   const Clock& clock)
      : engine_(engine), settings_(settings), holds_(holds), uses_(uses), clock_(clock) {}

  Result<std::vector<ShelvedEnvironment>> list();
  Result<void> need(const std::vector<std::string>& image_ids);
  Result<std::vector<KeptEnvironment>> unneeded(const std::vector<std::string>& needed);
  // As in Environments.
  Result<bool> remove(const std::string& image_id);
  Result<void> evict();

 private:
  struct View {
    std::vector<ShelvedEnvironment> environments;
    ImageForest forest;
  };
  Result<View> look();
  Result<std::set<std::string>> used_images(const std::vector<ShelvedEnvironment>& environments);
  Result<void> find_pulled_bases(View& view, const std::set<std::string>& pulled);
  Result<bool> give_up(const ShelvedEnvironment& environment, bool also_of_earlier_plz);
  Result<bool> take_down(const ShelvedEnvironment& environment);
  Result<void> put_back(const ShelvedEnvironment& environment, bool with_hold);

  EngineClient& engine_;
  const EnvironmentSettings& settings_;
  Holds& holds_;
  LastUse& uses_;
  const Clock& clock_;
};

}  // namespace plz
