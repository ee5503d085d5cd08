#include "environment/fake/fake_environments.h"

#include <algorithm>

#include "store/hasher.h"

namespace plz {
namespace {

std::string id_of(const EnvironmentRequest& request) {
  std::string words = request.recipe.dockerfile ? request.code_tree.hex() : request.recipe.image;
  for (const std::string& line : request.recipe.image_extensions) words += "\n" + line;
  return "sha256:" + digest_of(words + "\n" + request.platform).hex();
}

}  // namespace

Result<ReadyEnvironment> FakeEnvironments::ensure(const EnvironmentRequest& request, const Say& say,
                                                  std::stop_token stop) {
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "no longer wanted");
  if (script_) return script_(request, say);
  if (request.recipe.pinned) return ReadyEnvironment{.image = *request.recipe.pinned};
  return ReadyEnvironment{.image = {.id = id_of(request)}};
}

Result<std::vector<KeptEnvironment>> FakeEnvironments::list() {
  std::lock_guard lock(mutex_);
  return kept_;
}

Result<std::vector<KeptEnvironment>> FakeEnvironments::unneeded(const std::vector<std::string>& needed) {
  PLZ_ASSIGN(auto kept, list());
  std::erase_if(kept, [&](const KeptEnvironment& environment) {
    return environment.in_use || std::find(needed.begin(), needed.end(), environment.image_id) != needed.end();
  });
  return kept;
}

Result<bool> FakeEnvironments::remove(const std::string& image_id) {
  std::lock_guard lock(mutex_);
  auto kept = std::find_if(kept_.begin(), kept_.end(), [&](const auto& k) { return k.image_id == image_id; });
  if (kept == kept_.end()) return fail(ErrorCode::not_found, "there is no environment " + image_id);
  if (kept->in_use) return fail(ErrorCode::conflict, "a container uses " + image_id);
  const bool goes = kept->goes;
  kept_.erase(kept);
  return goes;
}

void FakeEnvironments::keep(KeptEnvironment environment) {
  std::lock_guard lock(mutex_);
  kept_.push_back(std::move(environment));
}

std::vector<EnvironmentRequest> FakeEnvironments::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

}  // namespace plz
