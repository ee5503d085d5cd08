#include "environment/docker/docker_environments.h"

#include <sys/stat.h>

#include <fmt/core.h>

#include "base/log.h"
#include "environment/docker/environment_plan.h"
#include "environment/image_identity.h"
#include "model/preparation_line.h"
#include "os/file.h"

namespace plz {
namespace {

bool is_file(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Error cannot_be_had_again(const ImageIdentity& pinned, Error error) {
  if (error.code == ErrorCode::invalid || error.code == ErrorCode::conflict) error.code = ErrorCode::not_found;
  return std::move(error).with_context("the recorded image " + pinned.id + " is gone, and cannot be made again");
}

}  // namespace

DockerEnvironments::DockerEnvironments(EngineClient& engine, EnvironmentSettings settings, RegistryLogin& login,
                                       const Clock& clock)
    : engine_(engine),
      settings_(std::move(settings)),
      transfers_(engine, login, clock, settings_.pauses),
      builder_(engine, transfers_, settings_, clock),
      uses_(join_path(settings_.directory, "environments-last-use"), clock),
      shelf_(engine, settings_, uses_, clock) {}

Result<ReadyEnvironment> DockerEnvironments::ensure(const EnvironmentRequest& request, const Say& say,
                                                    std::stop_token stop) {
  if (!request.recipe.uses_container())
    return fail(ErrorCode::invalid, "the recipe names neither image nor Dockerfile");
  if (request.recipe.pinned) return ensure_pinned(request, say, stop);
  PLZ_ASSIGN(ImageIdentity image, make(request, say, stop));
  return ReadyEnvironment{.image = std::move(image)};
}

Result<ReadyEnvironment> DockerEnvironments::ensure_pinned(const EnvironmentRequest& request, const Say& say,
                                                           const std::stop_token& stop) {
  const ImageIdentity& pinned = *request.recipe.pinned;
  PLZ_ASSIGN(auto found, find_pinned(request, say, stop));
  if (found) return ReadyEnvironment{.image = std::move(*found)};
  say(preparation_line(PreparationVoice::warning,
                       fmt::format("The recorded image {} is neither on this engine nor to be pulled: it is made again "
                                   "from its recipe, and may differ",
                                   pinned.id)));
  auto made = make(request, say, stop);
  if (!made) return fail(cannot_be_had_again(pinned, std::move(made).error()));
  const bool rebuilt = made->id != pinned.id;
  return ReadyEnvironment{.image = std::move(*made), .rebuilt = rebuilt};
}

Result<std::optional<ImageIdentity>> DockerEnvironments::find_pinned(const EnvironmentRequest& request, const Say& say,
                                                                     const std::stop_token& stop) {
  const ImageIdentity& pinned = *request.recipe.pinned;
  auto touch = [&](const std::string& id) {
    if (auto noted = uses_.touch(id); !noted) log_warning("{}", noted.error().message);
  };
  PLZ_ASSIGN(auto image, engine_.inspect_image(pinned.id));
  if (!image && !pinned.digest.empty()) {
    PLZ_ASSIGN(image, engine_.inspect_image(pinned.digest));
  }
  if (!image && !pinned.digest.empty()) {
    auto pulled = transfers_.pull(pinned.digest, request.platform, say, stop);
    if (!pulled && pulled.error().code == ErrorCode::cancelled) return fail(std::move(pulled).error());
    if (pulled) image = std::move(*pulled);
    else say(warning_line(pulled.error()));
  }
  if (!image) return std::nullopt;
  touch(image->id);
  std::string digest = pinned.digest.empty() ? identity_of(*image, "").digest : pinned.digest;
  return ImageIdentity{.id = image->id, .digest = std::move(digest)};
}

Result<ImageIdentity> DockerEnvironments::make(const EnvironmentRequest& request, const Say& say,
                                               const std::stop_token& stop) {
  auto image = request.recipe.dockerfile ? from_dockerfile(request, say, stop) : from_image(request, say, stop);
  if (!image) return fail(std::move(image).error());
  bool is_built = image->labels.contains(kEnvironmentLabel);
  return identity_of(*image, is_built ? request.repository : request.recipe.image);
}

Result<ImageDetails> DockerEnvironments::from_dockerfile(const EnvironmentRequest& request, const Say& say,
                                                         const std::stop_token& stop) {
  PLZ_ASSIGN(std::string text, read_dockerfile(request.code_directory));
  std::map<std::string, ImageDetails> bases;
  for (const std::string& name : sight_of(text).bases) {
    auto base = transfers_.find_or_pull(name, request.platform, say, stop);
    if (!base) return fail(std::move(base).error().with_context(kDockerfileOfCode));
    bases.emplace(name, std::move(*base));
  }
  PLZ_ASSIGN(EnvironmentPlan plan, plan_dockerfile(text, bases, request.code_directory, request.platform));
  plan.repository = request.repository;
  return obtain(plan, say, stop);
}

Result<ImageDetails> DockerEnvironments::from_image(const EnvironmentRequest& request, const Say& say,
                                                    const std::stop_token& stop) {
  const EnvironmentRecipe& recipe = request.recipe;
  ImageDetails image;
  if (auto built_in = built_in_recipe(recipe.image)) {
    PLZ_ASSIGN(image, from_built_in(*built_in, request, say, stop));
  } else {
    PLZ_ASSIGN(image, transfers_.find_or_pull(recipe.image, request.platform, say, stop));
  }
  if (recipe.image_extensions.empty() && image.on_build.empty()) return image;
  std::string what = recipe.image + (recipe.image_extensions.empty() ? "" : " and its extensions");
  return add_layer(image, {.what = std::move(what), .lines = recipe.image_extensions}, request, say, stop);
}

Result<ImageDetails> DockerEnvironments::from_built_in(const RecipeLayer& recipe, const EnvironmentRequest& request,
                                                       const Say& say, const std::stop_token& stop) {
  PLZ_ASSIGN(ImageDetails base, transfers_.find_or_pull(settings_.base_image, request.platform, say, stop));
  PLZ_ASSIGN(ImageDetails image,
             add_layer(base, {.what = request.recipe.image, .lines = recipe.lines}, request, say, stop));
  for (const std::string& file : requirements_files()) {
    if (!is_file(join_path(request.code_directory, file))) continue;
    RecipeLayer layer = requirements_layer(file);
    return add_layer(image,
                     {.what = request.recipe.image + " and " + file,
                      .lines = std::move(layer.lines),
                      .texts = std::move(layer.texts),
                      .heed_ignore_file = false},
                     request, say, stop);
  }
  return image;
}

Result<ImageDetails> DockerEnvironments::add_layer(const ImageDetails& base, LayerRequest layer,
                                                   const EnvironmentRequest& request, const Say& say,
                                                   const std::stop_token& stop) {
  layer.directory = request.code_directory;
  layer.platform = request.platform;
  PLZ_ASSIGN(EnvironmentPlan plan, plan_layer(base, layer));
  plan.repository = request.repository;
  return obtain(plan, say, stop);
}

Result<ImageDetails> DockerEnvironments::obtain(const EnvironmentPlan& plan, const Say& say,
                                                const std::stop_token& stop) {
  PLZ_ASSIGN(ImageDetails image, builder_.ensure(plan, say, stop));
  if (auto noted = uses_.touch(image.id); !noted) log_warning("{}", noted.error().message);
  return image;
}

Result<std::vector<KeptEnvironment>> DockerEnvironments::list() {
  PLZ_ASSIGN(auto environments, shelf_.list());
  std::vector<KeptEnvironment> kept;
  for (auto& environment : environments) kept.push_back(std::move(environment.kept));
  return kept;
}

Result<void> DockerEnvironments::remove(const std::string& image_id) { return shelf_.remove(image_id); }

Result<void> DockerEnvironments::evict() {
  builder_.remove_leftovers();
  return shelf_.evict();
}

}  // namespace plz
