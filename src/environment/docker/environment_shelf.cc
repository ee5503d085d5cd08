#include "environment/docker/environment_shelf.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/log.h"
#include "environment/docker/image_builder.h"

namespace plz {
namespace {

constexpr auto kQuiet = std::chrono::hours(1);

bool is_local_name(const std::string& name) { return !environment_tag(name).empty(); }

uint64_t base_bytes_of(const ImageSummary& image) {
  auto label = image.labels.find(kEnvironmentBaseLabel);
  uint64_t bytes = 0;
  if (label != image.labels.end())
    std::from_chars(label->second.data(), label->second.data() + label->second.size(), bytes);
  return bytes;
}

bool is_one_of(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool goes_with_our_hold(const ShelvedEnvironment& environment) {
  return !environment.is_of_others && !environment.is_of_earlier_plz;
}

bool is_used_least(const ShelvedEnvironment& a, const ShelvedEnvironment& b) { return a.used < b.used; }

// Calls `take` for each until it takes no more: one that others stand on may go after them.
void take_in_turns(std::vector<ShelvedEnvironment>& environments,
                   const std::function<bool(ShelvedEnvironment&)>& take) {
  for (bool more = true; more;)
    more = std::erase_if(environments, [&](auto& environment) { return take(environment); }) > 0;
}

bool begins_with(const std::vector<std::string>& layers, const std::vector<std::string>& base) {
  return base.size() < layers.size() && std::equal(base.begin(), base.end(), layers.begin());
}

}  // namespace

std::vector<ShelvedEnvironment> choose_evicted(std::vector<ShelvedEnvironment> shelved, ImageForest forest,
                                               uint64_t limit_bytes, Timestamp now, std::chrono::seconds quiet) {
  uint64_t total = 0;
  for (const auto& environment : shelved) total += environment.kept.bytes;
  std::sort(shelved.begin(), shelved.end(), is_used_least);
  std::vector<ShelvedEnvironment> evicted;
  take_in_turns(shelved, [&](ShelvedEnvironment& environment) {
    const KeptEnvironment& kept = environment.kept;
    if (total <= limit_bytes || kept.in_use) return false;
    if (environment.used <= now && now - environment.used < quiet) return false;
    if (forest.is_stood_upon(kept.image_id)) return false;
    total -= kept.bytes;
    if (!environment.is_of_others) forest.remove(kept.image_id, environment.base_bytes);
    evicted.push_back(std::move(environment));
    return true;
  });
  return evicted;
}

std::vector<KeptEnvironment> choose_unneeded(std::vector<ShelvedEnvironment> shelved, ImageForest forest,
                                             const std::vector<std::string>& needed) {
  std::erase_if(shelved, [&](const ShelvedEnvironment& environment) {
    return environment.hold.empty() || environment.kept.in_use || is_one_of(needed, environment.kept.image_id);
  });
  std::sort(shelved.begin(), shelved.end(), is_used_least);
  std::vector<KeptEnvironment> unneeded;
  take_in_turns(shelved, [&](ShelvedEnvironment& environment) {
    KeptEnvironment& kept = environment.kept;
    kept.goes = goes_with_our_hold(environment);
    if (kept.goes && forest.is_stood_upon(kept.image_id)) return false;
    kept.bytes = kept.goes ? forest.remove(kept.image_id, environment.base_bytes) : 0;
    unneeded.push_back(std::move(kept));
    return true;
  });
  return unneeded;
}

// Labels are inherited: an image that somebody built upon an environment has them, and a name of his own.
std::optional<ShelvedEnvironment> shelved_environment(const ImageSummary& image, const std::string& holder) {
  auto label = image.labels.find(kEnvironmentLabel);
  const std::string key = label == image.labels.end() ? "" : label->second;
  ShelvedEnvironment environment{.kept = {.image_id = image.id}, .base_bytes = base_bytes_of(image)};
  environment.kept.bytes = image.bytes - std::min(environment.base_bytes, image.bytes);
  environment.has_label = !key.empty();
  environment.is_of_earlier_plz = !key.empty() && !image.labels.contains(kHeldLabel);
  bool is_held = false;
  for (const std::string& tag : image.tags) {
    if (tag == "<none>:<none>") continue;
    if (is_hold(tag)) {
      is_held = true;
      if (is_hold(tag, holder)) environment.hold = tag;
      else environment.is_of_others = true;
      continue;
    }
    bool is_shared = !key.empty() && tag.ends_with(":" + key);
    if (!is_shared && !is_local_name(tag)) return std::nullopt;
    environment.names.push_back(tag);
  }
  std::stable_partition(environment.names.begin(), environment.names.end(),
                        [](const auto& tag) { return !is_local_name(tag); });
  if (!environment.names.empty()) environment.kept.name = environment.names.back();
  else if (!key.empty()) environment.kept.name = std::string(kEnvironmentRepository) + ":" + key;
  else if (is_held) environment.kept.name = image.digests.empty() ? image.id : image.digests.front();
  else return std::nullopt;
  return environment;
}

Result<std::vector<ShelvedEnvironment>> EnvironmentShelf::list() {
  PLZ_ASSIGN(View view, look());
  return std::move(view.environments);
}

Result<EnvironmentShelf::View> EnvironmentShelf::look() {
  PLZ_ASSIGN(auto images, engine_.list_images({}, /*also_between=*/true));
  std::set<std::string> bases, pulled;
  for (const ImageSummary& image : images) {
    bases.insert(image.parent);
    if (image.parent.empty()) pulled.insert(image.id);
  }
  std::vector<ShelvedEnvironment> environments;
  for (const ImageSummary& image : images) {
    if (image.tags.empty() && bases.contains(image.id)) continue;  // one step of a build
    auto environment = shelved_environment(image, holds_.holder());
    if (!environment) continue;
    environment->used = uses_.of(image.id);
    environments.push_back(std::move(*environment));
  }
  PLZ_ASSIGN(auto used, used_images(environments));
  for (auto& environment : environments) environment.kept.in_use = used.contains(environment.kept.image_id);
  View view{std::move(environments), ImageForest(images, std::move(used))};
  PLZ_TRY(find_pulled_bases(view, pulled));
  return view;
}

// A container has the labels of its image: others on this engine are not even looked at.
Result<std::set<std::string>> EnvironmentShelf::used_images(const std::vector<ShelvedEnvironment>& environments) {
  std::set<std::string> used;
  PLZ_ASSIGN(auto containers, engine_.list_containers({{kEnvironmentLabel, ""}}));
  for (const auto& container : containers) used.insert(container.image_id);
  for (const auto& environment : environments) {
    if (environment.has_label) continue;
    PLZ_ASSIGN(auto of_it, engine_.list_containers_of(environment.kept.image_id));
    for (const auto& container : of_it) used.insert(container.image_id);
  }
  return used;
}

// What was pulled stands on nothing, says the engine; but it shares the layers of what was pulled before.
Result<void> EnvironmentShelf::find_pulled_bases(View& view, const std::set<std::string>& pulled) {
  std::vector<ImageDetails> found;
  for (const auto& environment : view.environments) {
    if (!pulled.contains(environment.kept.image_id)) continue;
    PLZ_ASSIGN(auto image, engine_.inspect_image(environment.kept.image_id));
    if (image) found.push_back(std::move(*image));
  }
  for (const ImageDetails& image : found) {
    const ImageDetails* nearest = nullptr;
    for (const ImageDetails& base : found)
      if (begins_with(image.layers, base.layers) && (!nearest || base.layers.size() > nearest->layers.size()))
        nearest = &base;
    if (nearest) view.forest.stand_upon(image.id, nearest->id);
  }
  return {};
}

Result<void> EnvironmentShelf::need(const std::vector<std::string>& image_ids) {
  PLZ_ASSIGN(auto environments, list());
  for (const auto& environment : environments) {
    if (!environment.hold.empty() || !is_one_of(image_ids, environment.kept.image_id)) continue;
    auto held = holds_.take(environment.kept.image_id, {});
    if (!held && held.error().code != ErrorCode::not_found) return held;
  }
  return {};
}

Result<std::vector<KeptEnvironment>> EnvironmentShelf::unneeded(const std::vector<std::string>& needed) {
  PLZ_ASSIGN(View view, look());
  return choose_unneeded(std::move(view.environments), std::move(view.forest), needed);
}

Result<bool> EnvironmentShelf::remove(const std::string& image_id) {
  PLZ_ASSIGN(auto environments, list());
  for (const auto& environment : environments)
    if (environment.kept.image_id == image_id) return give_up(environment, /*also_of_earlier_plz=*/false);
  return fail(ErrorCode::not_found, image_id + " is no environment that plz has made on this engine");
}

// Ours first: who looks at the image from then on sees whether anybody else's is left.
Result<bool> EnvironmentShelf::give_up(const ShelvedEnvironment& environment, bool also_of_earlier_plz) {
  const std::string& id = environment.kept.image_id;
  if (environment.kept.in_use) return fail(ErrorCode::conflict, "a container uses " + environment.kept.name);
  if (!environment.hold.empty()) PLZ_TRY(engine_.remove_image(environment.hold, false));
  PLZ_ASSIGN(auto left, engine_.inspect_image(id));
  const bool is_held =
      left && std::any_of(left->tags.begin(), left->tags.end(), [](auto& tag) { return is_hold(tag); });
  bool is_gone = !left;
  if (left && !is_held && (also_of_earlier_plz || !environment.is_of_earlier_plz)) {
    PLZ_ASSIGN(is_gone, take_down(environment));
  }
  PLZ_TRY(uses_.forget(id));
  return is_gone;
}

// Name by name, and never by force: the engine refuses to take the last one from a container.
Result<bool> EnvironmentShelf::take_down(const ShelvedEnvironment& environment) {
  const std::string& id = environment.kept.image_id;
  for (const std::string& name : environment.names) PLZ_TRY(engine_.remove_image(name, false));
  PLZ_ASSIGN(auto left, engine_.inspect_image(id));
  if (!left) return true;
  const bool is_bare = left->tags.empty();
  if (is_bare) {
    for (const std::string& digest : left->digests) PLZ_TRY(engine_.remove_image(digest, false));
    auto removed = engine_.remove_image(id, false);
    if (removed) return true;
    if (removed.error().code != ErrorCode::conflict) return fail(std::move(removed).error());
  }
  // Another image stands on it by now; or else another worker needs it.
  PLZ_TRY(put_back(environment, is_bare));
  return false;
}

Result<void> EnvironmentShelf::put_back(const ShelvedEnvironment& environment, bool with_hold) {
  std::vector<std::string> names = environment.names;
  if (with_hold && !environment.hold.empty()) names.push_back(environment.hold);
  for (const std::string& name : names) {
    const size_t colon = name.rfind(':');
    PLZ_TRY(engine_.tag_image(environment.kept.image_id, name.substr(0, colon), name.substr(colon + 1)));
  }
  return {};
}

Result<void> EnvironmentShelf::evict() {
  if (settings_.limit_bytes == 0) return {};
  PLZ_ASSIGN(View view, look());
  std::erase_if(view.environments, [](const auto& e) { return e.hold.empty() && e.is_of_others; });
  for (const auto& environment : choose_evicted(std::move(view.environments), std::move(view.forest),
                                                settings_.limit_bytes, clock_.now(), kQuiet)) {
    auto gone = give_up(environment, /*also_of_earlier_plz=*/true);
    if (gone && *gone) log_info("evicted {}", environment.kept.name);
    else if (!gone && gone.error().code != ErrorCode::conflict) return fail(std::move(gone).error());
  }
  return {};
}

}  // namespace plz
