// Environments on a Docker engine.
#pragma once

#include "base/clock.h"
#include "engine/engine_client.h"
#include "environment/docker/built_in_recipes.h"
#include "environment/docker/environment_shelf.h"
#include "environment/docker/holds.h"
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
  Result<void> need(const std::vector<std::string>& image_ids) override;
  Result<std::vector<KeptEnvironment>> unneeded(const std::vector<std::string>& needed) override;
  Result<bool> remove(const std::string& image_id) override;
  Result<void> evict() override;

 private:
  Result<ReadyEnvironment> ensure_pinned(const EnvironmentRequest& request, const Say& say,
                                         const std::stop_token& stop);
  Result<std::optional<ImageIdentity>> find_pinned(const EnvironmentRequest& request, const Say& say,
                                                   const std::stop_token& stop);
  Result<std::optional<ImageDetails>> find_exactly(const std::string& id, const std::string& digest,
                                                   const std::string& platform, const Say& say,
                                                   const std::stop_token& stop);
  Result<bool> hold_pinned(const ImageDetails& image, bool is_pulled);
  Result<ImageIdentity> make_again(const EnvironmentRequest& request, const Say& say, const std::stop_token& stop);

  // What it is built upon, unless a plz.Dockerfile says that.
  Result<ImageDetails> find_base(const EnvironmentRequest& request, const Say& say, const std::stop_token& stop);
  Result<ImageIdentity> make(const EnvironmentRequest& request, const Say& say, const std::stop_token& stop);
  Result<ImageIdentity> make_upon(const ImageDetails& base, const EnvironmentRequest& request, const Say& say,
                                  const std::stop_token& stop);
  Result<ImageDetails> from_dockerfile(const EnvironmentRequest& request, const Say& say, const std::stop_token& stop);
  Result<ImageDetails> from_image(const ImageDetails& base, const EnvironmentRequest& request, const Say& say,
                                  const std::stop_token& stop);
  Result<ImageDetails> from_built_in(const RecipeLayer& recipe, const ImageDetails& base,
                                     const EnvironmentRequest& request, const Say& say, const std::stop_token& stop);
  Result<ImageDetails> add_layer(const ImageDetails& base, LayerRequest layer, const EnvironmentRequest& request,
                                 const Say& say, const std::stop_token& stop);
  // Adds those that it lacks.
  Result<bool> find_bases(const std::vector<std::string>& names, std::map<std::string, ImageDetails>& bases,
                          const EnvironmentRequest& request, const Say& say, const std::stop_token& stop);
  Result<ImageDetails> obtain(const EnvironmentPlan& plan, const Say& say, const std::stop_token& stop);
  std::string base_name(const EnvironmentRecipe& recipe) const;

  EngineClient& engine_;
  const EnvironmentSettings settings_;
  ImageTransfers transfers_;
  Holds holds_;
  ImageBuilder builder_;
  LastUse uses_;
  EnvironmentShelf shelf_;
};

}  // namespace plz
