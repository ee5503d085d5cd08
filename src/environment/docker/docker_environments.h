// Environments on a Docker engine.
#pragma once

#include "base/clock.h"
#include "engine/engine_client.h"
#include "environment/docker/built_in_recipes.h"
#include "environment/docker/environment_shelf.h"
#include "environment/docker/image_builder.h"
#include "environment/docker/image_transfers.h"
#include "environment/environment_settings.h"
#include "environment/environments.h"
#include "environment/last_use.h"
#include "environment/registry_login.h"

namespace plz {

class DockerEnvironments final : public Environments {
 public:
  // All references outlive this.
  DockerEnvironments(EngineClient& engine, EnvironmentSettings settings, RegistryLogin& login, const Clock& clock);

  Result<ReadyEnvironment> ensure(const EnvironmentRequest& request, const Say& say, std::stop_token stop) override;
  Result<std::vector<KeptEnvironment>> list() override;
  Result<void> remove(const std::string& image_id) override;
  Result<void> evict() override;

 private:
  Result<ReadyEnvironment> ensure_pinned(const EnvironmentRequest& request, const Say& say,
                                         const std::stop_token& stop);
  Result<std::optional<ImageIdentity>> find_pinned(const EnvironmentRequest& request, const Say& say,
                                                   const std::stop_token& stop);
  Result<ImageIdentity> make(const EnvironmentRequest& request, const Say& say, const std::stop_token& stop);
  Result<ImageDetails> from_dockerfile(const EnvironmentRequest& request, const Say& say, const std::stop_token& stop);
  Result<ImageDetails> from_image(const EnvironmentRequest& request, const Say& say, const std::stop_token& stop);
  Result<ImageDetails> from_built_in(const RecipeLayer& recipe, const EnvironmentRequest& request, const Say& say,
                                     const std::stop_token& stop);
  Result<ImageDetails> add_layer(const ImageDetails& base, LayerRequest layer, const EnvironmentRequest& request,
                                 const Say& say, const std::stop_token& stop);
  Result<ImageDetails> obtain(const EnvironmentPlan& plan, const Say& say, const std::stop_token& stop);

  EngineClient& engine_;
  const EnvironmentSettings settings_;
  ImageTransfers transfers_;
  ImageBuilder builder_;
  LastUse uses_;
  EnvironmentShelf shelf_;
};

}  // namespace plz
