// Environments without an engine, for tests: every recipe has an image, unless the script says otherwise.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "environment/environments.h"

namespace plz {

class FakeEnvironments final : public Environments {
 public:
  using Script = std::function<Result<ReadyEnvironment>(const EnvironmentRequest& request, const Say& say)>;
  // Called without a lock held; by more threads than one if ensure() is.
  explicit FakeEnvironments(Script script = {}) : script_(std::move(script)) {}

  // Without a script: the recorded image of a pinned recipe; else an id made from the recipe's words (and of
  // plz.Dockerfile, from the code), so that the same recipe has the same image.
  Result<ReadyEnvironment> ensure(const EnvironmentRequest& request, const Say& say, std::stop_token stop) override;
  Result<std::vector<KeptEnvironment>> list() override;
  Result<void> need(const std::vector<std::string>&) override { return {}; }
  Result<std::vector<KeptEnvironment>> unneeded(const std::vector<std::string>& needed) override;
  Result<bool> remove(const std::string& image_id) override;  // conflict: in use; not_found
  Result<void> evict() override { return {}; }

  // For the test.
  void keep(KeptEnvironment environment);
  std::vector<EnvironmentRequest> requests() const;  // in order

 private:
  const Script script_;
  mutable std::mutex mutex_;
  std::vector<EnvironmentRequest> requests_;
  std::vector<KeptEnvironment> kept_;
};

}  // namespace plz
