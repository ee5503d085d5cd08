#include "environment/docker/docker_environments.h"

#include <algorithm>

#include <sys/stat.h>

#include <fmt/core.h>

#include "base/log.h"
#include "environment/docker/environment_plan.h"
#include "environment/image_identity.h"
#include "model/preparation_line.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr int kTries = 3;

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
      holds_(engine, holder_of(this_machine(), settings_.directory)),
      builder_(engine, transfers_, holds_, settings_, clock),
      uses_(join_path(settings_.directory, "environments-last-use"), clock),
      shelf_(engine, settings_, holds_, uses_, clock) {}

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
  auto made = make_again(request, say, stop);
  if (!made) return fail(cannot_be_had_again(pinned, std::move(made).error()));
  const bool rebuilt = made->id != pinned.id;
  return ReadyEnvironment{.image = std::move(*made), .rebuilt = rebuilt};
}

Result<std::optional<ImageIdentity>> DockerEnvironments::find_pinned(const EnvironmentRequest& request, const Say& say,
                                                                     const std::stop_token& stop) {
  ImageIdentity pinned = *request.recipe.pinned;
  PLZ_ASSIGN(auto image, find_exactly(pinned.id, pinned.digest, request.platform, say, stop));
  if (!image) return std::nullopt;
  if (auto noted = uses_.touch(image->id); !noted) log_warning("{}", noted.error().message);
  pinned.id = image->id;
  if (pinned.digest.empty()) pinned.digest = identity_of(*image, "").digest;
  return pinned;
}

// nullopt: it is neither here nor to be pulled.
Result<std::optional<ImageDetails>> DockerEnvironments::find_exactly(const std::string& id, const std::string& digest,
                                                                     const std::string& platform, const Say& say,
                                                                     const std::stop_token& stop) {
  PLZ_ASSIGN(auto image, engine_.inspect_image(id));
  if (!image && !digest.empty()) {
    PLZ_ASSIGN(image, engine_.inspect_image(digest));
  }
  if (image) {
    PLZ_ASSIGN(bool is_held, hold_pinned(*image, false));
    if (is_held) return image;
  }
  if (digest.empty()) return std::nullopt;
  auto pulled = transfers_.pull(digest, platform, say, stop);
  if (!pulled && pulled.error().code == ErrorCode::cancelled) return fail(std::move(pulled).error());
  if (!pulled) {
    say(warning_line(pulled.error()));
    return std::nullopt;
  }
  PLZ_ASSIGN(bool is_held, hold_pinned(*pulled, true));
  if (!is_held) return fail(ErrorCode::unavailable, digest + " was removed as soon as it was pulled");
  return std::move(*pulled);
}

// False: it has gone at this moment. What is here under a name of its own is its owner's, and needs no hold.
Result<bool> DockerEnvironments::hold_pinned(const ImageDetails& image, bool is_pulled) {
  const bool is_environments = image.tags.empty()
                                   ? image.labels.contains(kEnvironmentLabel)
                                   : std::any_of(image.tags.begin(), image.tags.end(),
                                                 [](const auto& name) { return !environment_tag(name).empty(); });
  if (!is_pulled && !is_environments) return true;
  auto held = holds_.take(image);
  if (!held && held.error().code != ErrorCode::not_found) return fail(std::move(held).error());
  return held.has_value();
}

// An image that nothing was built upon cannot be made: what its name means today is another.
Result<ImageIdentity> DockerEnvironments::make_again(const EnvironmentRequest& request, const Say& say,
                                                     const std::stop_token& stop) {
  const EnvironmentRecipe& recipe = request.recipe;
  const ImageIdentity& pinned = *recipe.pinned;
  auto warn = [&](const std::string& words) { say(preparation_line(PreparationVoice::warning, words)); };
  const bool is_built = recipe.dockerfile || !pinned.base_id.empty() || !recipe.image_extensions.empty() ||
                        built_in_recipe(recipe.image).has_value();
  if (!is_built) {
    PLZ_ASSIGN(const ImageDetails today, find_base(request, say, stop));
    if (today.id == pinned.id) return make_upon(today, request, say, stop);
    return fail(
        ErrorCode::not_found, recipe.image + " means another image today, " + today.id,
        "bring it back (`docker load`, or `docker pull` where a registry has it), or run with today's: `plz run`");
  }
  warn(
      fmt::format("The recorded image {} is neither on this engine nor to be pulled: it is made again from its recipe, "
                  "and may differ",
                  pinned.id));
  if (recipe.dockerfile) return make(request, say, stop);
  if (!pinned.base_id.empty()) {
    PLZ_ASSIGN(auto base, find_exactly(pinned.base_id, pinned.base_digest, request.platform, say, stop));
    if (base) return make_upon(*base, request, say, stop);
  }
  warn(fmt::format("What it was built upon, {}, is not to be had either: it is built upon what {} means today",
                   pinned.base_id.empty() ? "which is not recorded" : pinned.base_id, base_name(recipe)));
  return make(request, say, stop);
}

std::string DockerEnvironments::base_name(const EnvironmentRecipe& recipe) const {
  return built_in_recipe(recipe.image) ? settings_.base_image : recipe.image;
}

Result<ImageDetails> DockerEnvironments::find_base(const EnvironmentRequest& request, const Say& say,
                                                   const std::stop_token& stop) {
  return transfers_.find_or_pull(base_name(request.recipe), request.platform, say, stop);
}

Result<ImageIdentity> DockerEnvironments::make(const EnvironmentRequest& request, const Say& say,
                                               const std::stop_token& stop) {
  if (request.recipe.dockerfile) {
    PLZ_ASSIGN(const ImageDetails image, from_dockerfile(request, say, stop));
    return identity_of(image, request.repository);
  }
  PLZ_ASSIGN(const ImageDetails base, find_base(request, say, stop));
  return make_upon(base, request, say, stop);
}

Result<ImageIdentity> DockerEnvironments::make_upon(const ImageDetails& base, const EnvironmentRequest& request,
                                                    const Say& say, const std::stop_token& stop) {
  PLZ_ASSIGN(const ImageDetails image, from_image(base, request, say, stop));
  const ImageIdentity below = identity_of(base, base_name(request.recipe));
  if (image.id == base.id) return below;
  ImageIdentity identity = identity_of(image, request.repository);
  identity.base_id = below.id;
  identity.base_digest = below.digest;
  return identity;
}

Result<bool> DockerEnvironments::find_bases(const std::vector<std::string>& names,
                                            std::map<std::string, ImageDetails>& bases,
                                            const EnvironmentRequest& request, const Say& say,
                                            const std::stop_token& stop) {
  bool found = false;
  for (const std::string& name : names) {
    if (bases.contains(name)) continue;
    PLZ_ASSIGN(ImageDetails base, transfers_.find_or_pull(name, request.platform, say, stop));
    bases.emplace(name, std::move(base));
    found = true;
  }
  return found;
}

Result<ImageDetails> DockerEnvironments::from_dockerfile(const EnvironmentRequest& request, const Say& say,
                                                         const std::stop_token& stop) {
  PLZ_ASSIGN(std::string text, read_dockerfile(request.code_directory));
  std::map<std::string, ImageDetails> bases;
  auto find_all = [&]() -> Result<void> {
    // The triggers of what is found may name more.
    for (bool more = true; more;) {
      PLZ_ASSIGN(const BuildSight sight, sight_of_dockerfile(text, bases));
      PLZ_ASSIGN(more, find_bases(sight.bases, bases, request, say, stop));
    }
    return {};
  };
  if (auto found = find_all(); !found) return fail(std::move(found).error().with_context(kDockerfileOfCode));
  PLZ_ASSIGN(EnvironmentPlan plan, plan_dockerfile(text, bases, request.code_directory, request.platform));
  plan.repository = request.repository;
  return obtain(plan, say, stop);
}

Result<ImageDetails> DockerEnvironments::from_image(const ImageDetails& base, const EnvironmentRequest& request,
                                                    const Say& say, const std::stop_token& stop) {
  const EnvironmentRecipe& recipe = request.recipe;
  ImageDetails image = base;
  if (auto built_in = built_in_recipe(recipe.image)) {
    PLZ_ASSIGN(image, from_built_in(*built_in, base, request, say, stop));
  }
  if (recipe.image_extensions.empty() && image.on_build.empty()) return image;
  std::string what = recipe.image + (recipe.image_extensions.empty() ? "" : " and its extensions");
  return add_layer(image, {.what = std::move(what), .lines = recipe.image_extensions}, request, say, stop);
}

Result<ImageDetails> DockerEnvironments::from_built_in(const RecipeLayer& recipe, const ImageDetails& base,
                                                       const EnvironmentRequest& request, const Say& say,
                                                       const std::stop_token& stop) {
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
  PLZ_ASSIGN(const BuildSight sight, sight_of_layer(base, layer));
  PLZ_TRY(find_bases(sight.bases, layer.bases, request, say, stop));
  PLZ_ASSIGN(EnvironmentPlan plan, plan_layer(base, layer));
  plan.repository = request.repository;
  return obtain(plan, say, stop);
}

Result<ImageDetails> DockerEnvironments::obtain(const EnvironmentPlan& plan, const Say& say,
                                                const std::stop_token& stop) {
  for (int tries = 1;; ++tries) {
    PLZ_ASSIGN(ImageDetails image, builder_.ensure(plan, say, stop));
    auto held = holds_.take(image);
    // Whoever was the last to need it may give it up at this moment: then it is made again.
    if (!held && (held.error().code != ErrorCode::not_found || tries == kTries)) return fail(std::move(held).error());
    if (!held) continue;
    if (auto noted = uses_.touch(image.id); !noted) log_warning("{}", noted.error().message);
    return image;
  }
}

Result<std::vector<KeptEnvironment>> DockerEnvironments::list() {
  PLZ_ASSIGN(auto environments, shelf_.list());
  std::vector<KeptEnvironment> kept;
  for (auto& environment : environments) kept.push_back(std::move(environment.kept));
  return kept;
}

Result<void> DockerEnvironments::need(const std::vector<std::string>& image_ids) { return shelf_.need(image_ids); }

Result<std::vector<KeptEnvironment>> DockerEnvironments::unneeded(const std::vector<std::string>& needed) {
  return shelf_.unneeded(needed);
}

Result<bool> DockerEnvironments::remove(const std::string& image_id) { return shelf_.remove(image_id); }

Result<void> DockerEnvironments::evict() {
  builder_.remove_leftovers();
  return shelf_.evict();
}

}  // namespace plz
