#include "environment/docker/environment_shelf.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/log.h"
#include "environment/docker/image_builder.h"

namespace plz {
namespace {

constexpr auto kQuiet = std::chrono::hours(1);

const std::string kLocalPrefix = std::string(kEnvironmentRepository) + ":";

bool is_local_name(const std::string& tag) { return tag.starts_with(kLocalPrefix); }

// What is the environment's own: its image counts the layers of its base too.
uint64_t own_bytes(const ImageSummary& image) {
  auto label = image.labels.find(kEnvironmentBaseLabel);
  uint64_t base = 0;
  if (label != image.labels.end())
    std::from_chars(label->second.data(), label->second.data() + label->second.size(), base);
  return image.bytes - std::min(base, image.bytes);
}

}  // namespace

std::vector<ShelvedEnvironment> choose_evicted(std::vector<ShelvedEnvironment> shelved, uint64_t limit_bytes,
                                               Timestamp now, std::chrono::seconds quiet) {
  uint64_t total = 0;
  for (const auto& environment : shelved) total += environment.kept.bytes;
  std::sort(shelved.begin(), shelved.end(), [](const auto& a, const auto& b) { return a.used < b.used; });
  std::vector<ShelvedEnvironment> evicted;
  for (auto& environment : shelved) {
    if (total <= limit_bytes) break;
    if (environment.kept.in_use || (environment.used <= now && now - environment.used < quiet)) continue;
    total -= environment.kept.bytes;
    evicted.push_back(std::move(environment));
  }
  return evicted;
}

// Labels are inherited: an image that somebody built upon an environment has them, and a name of his own.
std::optional<ShelvedEnvironment> shelved_environment(const ImageSummary& image) {
  auto label = image.labels.find(kEnvironmentLabel);
  const std::string key = label == image.labels.end() ? "" : label->second;
  ShelvedEnvironment environment{.kept = {.image_id = image.id, .bytes = own_bytes(image)}};
  for (const std::string& tag : image.tags) {
    if (tag == "<none>:<none>") continue;
    bool is_shared = !key.empty() && tag.ends_with(":" + key);
    if (!is_shared && !is_local_name(tag)) return std::nullopt;
    environment.names.push_back(tag);
  }
  std::stable_partition(environment.names.begin(), environment.names.end(),
                        [](const auto& tag) { return !is_local_name(tag); });
  if (!environment.names.empty()) environment.kept.name = environment.names.back();
  else if (!key.empty()) environment.kept.name = kLocalPrefix + key;
  else return std::nullopt;
  return environment;
}

Result<std::vector<ShelvedEnvironment>> EnvironmentShelf::list() {
  PLZ_ASSIGN(auto images, engine_.list_images({}));
  std::vector<ShelvedEnvironment> environments;
  // A container has the labels of its image: others on this engine are not even looked at.
  PLZ_ASSIGN(auto containers, engine_.list_containers({{kEnvironmentLabel, ""}}));
  std::set<std::string> used;
  for (const auto& container : containers) used.insert(container.image_id);
  for (const ImageSummary& image : images) {
    auto environment = shelved_environment(image);
    if (!environment) continue;
    environment->kept.in_use = used.contains(image.id);
    environment->used = uses_.of(image.id);
    environments.push_back(std::move(*environment));
  }
  return environments;
}

Result<void> EnvironmentShelf::remove(const std::string& image_id) {
  PLZ_ASSIGN(auto environments, list());
  for (const auto& environment : environments)
    if (environment.kept.image_id == image_id) return take_down(environment);
  return fail(ErrorCode::not_found, image_id + " is no environment that plz has made on this engine");
}

// Name by name, and never by force: the engine refuses to take the last one from a container.
Result<void> EnvironmentShelf::take_down(const ShelvedEnvironment& environment) {
  const std::string& id = environment.kept.image_id;
  if (environment.kept.in_use) return fail(ErrorCode::conflict, "a container uses " + environment.kept.name);
  for (const std::string& name : environment.names) PLZ_TRY(engine_.remove_image(name, false));
  PLZ_ASSIGN(auto left, engine_.inspect_image(id));
  if (left && left->tags.empty()) {
    for (const std::string& digest : left->digests) PLZ_TRY(engine_.remove_image(digest, false));
    // An image that others stand on stays below them, without a name.
    if (auto removed = engine_.remove_image(id, false); !removed && removed.error().code != ErrorCode::conflict)
      return removed;
  }
  return uses_.forget(id);
}

Result<void> EnvironmentShelf::evict() {
  if (settings_.limit_bytes == 0) return {};
  PLZ_ASSIGN(auto environments, list());
  for (const auto& environment : choose_evicted(std::move(environments), settings_.limit_bytes, clock_.now(), kQuiet)) {
    auto gone = take_down(environment);
    if (gone) log_info("evicted {}", environment.kept.name);
    else if (gone.error().code != ErrorCode::conflict) return gone;
  }
  return {};
}

}  // namespace plz
