// One build of one plan: found, fetched from the shared repository, or built.
#pragma once

#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "engine/engine_client.h"
#include "environment/docker/build_notes.h"
#include "environment/docker/environment_plan.h"
#include "environment/docker/holds.h"
#include "environment/docker/image_transfers.h"
#include "environment/environment_settings.h"
#include "environment/environments.h"
#include "environment/single_flight.h"

namespace plz {

inline constexpr const char* kEnvironmentLabel = "plz.environment";  // the key
inline constexpr const char* kEnvironmentBaseLabel = "plz.environment.base_bytes";
inline constexpr const char* kHeldLabel = "plz.environment.held";  // made by a plz that holds what it needs

// Thread-safe. Whoever wants a plan that is being built waits for that build: of this process, and, through locks in
// the settings' directory, of others that share it. Others again may build at the same time; one image is kept
// (naming_claim.h).
class ImageBuilder {
 public:
  ImageBuilder(EngineClient& engine, ImageTransfers& transfers, Holds& holds, const EnvironmentSettings& settings,
               const Clock& clock)
      : engine_(engine),
        transfers_(transfers),
        holds_(holds),
        settings_(settings),
        clock_(clock),
        notes_(settings.directory + "/builds") {}

  // The image is called plz/environment:KEY, and REPOSITORY:KEY where there is a shared repository; that it could not
  // be put there is told, and no error.
  Result<ImageDetails> ensure(const EnvironmentPlan& plan, const Say& say, std::stop_token stop);

  // Removes what builds have left that ended with their engine or their worker; each build begins with it. What the
  // engine does not answer for is tried again the next time.
  void remove_leftovers() { remove_leftovers(""); }

 private:
  void remove_leftovers(const std::string& locked_key);
  Result<std::optional<ImageDetails>> find(const EnvironmentPlan& plan);
  Result<ImageDetails> obtain(const EnvironmentPlan& plan, const Say& say, const std::stop_token& stop);
  Result<std::optional<ImageDetails>> fetch(const EnvironmentPlan& plan, const Say& say, const std::stop_token& stop);
  Result<ImageDetails> build(const EnvironmentPlan& plan, const Say& say, const std::stop_token& stop);
  Result<std::optional<ImageDetails>> name_one(const EnvironmentPlan& plan, const std::string& built,
                                               const std::stop_token& stop);
  Result<ImageDetails> keep_one(const EnvironmentPlan& plan, const std::string& built, const std::stop_token& stop);
  Result<ImageDetails> share(const EnvironmentPlan& plan, ImageDetails image, const Say& say,
                             const std::stop_token& stop);
  bool is_shared_as_far_as_can_be(const EnvironmentPlan& plan, const ImageDetails& image);

  EngineClient& engine_;
  ImageTransfers& transfers_;
  Holds& holds_;
  const EnvironmentSettings& settings_;
  const Clock& clock_;
  const BuildNotes notes_;
  SingleFlight<ImageDetails> flights_;
  std::mutex mutex_;
  std::map<std::string, SteadyTime> failed_pushes_;  // by shared name; guarded by mutex_
};

}  // namespace plz
