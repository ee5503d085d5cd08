#include "environment/docker/naming_claim.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/backoff.h"
#include "base/log.h"

namespace plz {
namespace {

using Json = nlohmann::json;

constexpr auto kPause = std::chrono::milliseconds(20);

JsonText container_body(const std::string& key, const std::string& image) {
  Json body = {{"Image", image},
               {"Cmd", Json::array({"true"})},
               {"Labels", {{kNamingClaimLabel, key}}},
               {"HostConfig", {{"NetworkMode", "none"}}}};
  return {body.dump()};
}

}  // namespace

Result<NamingClaim> NamingClaim::take(EngineClient& engine, const std::string& key, const std::string& image,
                                      std::chrono::milliseconds patience, const std::stop_token& stop) {
  const std::string name = "plz-naming-" + key;
  std::string holder;
  for (auto left = patience;; left -= kPause) {
    auto created = engine.create_container(name, container_body(key, image));
    if (created) return NamingClaim(engine, std::move(*created));
    // The engine is asked, rather than its words read: not every one calls a name that is taken a conflict.
    PLZ_ASSIGN(auto there, engine.inspect_container(name));
    if (!there && created.error().code != ErrorCode::conflict) return fail(std::move(created).error());
    if (there && there->id != holder) {
      holder = there->id;
      left = patience;
    }
    if (left <= kPause) {
      if (!there) return fail(std::move(created).error());
      log_warning("container {} is in the way for {} ms and is removed: whoever made it is gone", name,
                  patience.count());
      PLZ_TRY(engine.remove_container(holder));
    }
    if (!wait_unless_stopped(stop, kPause)) return fail(ErrorCode::cancelled, "no longer waiting to name an image");
  }
}

bool NamingClaim::remove_leftovers(EngineClient& engine, const std::vector<std::string>& images) {
  auto claims = engine.list_containers({{kNamingClaimLabel, ""}});
  if (!claims) return false;
  bool done = true;
  for (const ContainerSummary& claim : *claims) {
    bool is_left =
        std::ranges::any_of(images, [&](const auto& id) { return claim.image_id.starts_with("sha256:" + id); });
    if (is_left) done = engine.remove_container(claim.id) && done;
  }
  return done;
}

NamingClaim::~NamingClaim() {
  if (container_.empty()) return;
  if (auto removed = engine_.remove_container(container_); !removed)
    log_warning("container {} stays: {}", container_, removed.error().message);
}

}  // namespace plz
