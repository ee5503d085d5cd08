// Jobs as plain processes, where no sandbox can be had: not boxed, with the host's own paths. The code
// is a private copy; what a job leaves running is killed, as far as it is its descendant.
#pragma once

#include <string>
#include <utility>

#include "runtime/init_runner.h"
#include "runtime/runtime.h"

namespace plz {

class ProcessRuntime final : public Runtime {
 public:
  explicit ProcessRuntime(std::string plz_init_path) : runner_(std::move(plz_init_path)) {}

  RuntimeFingerprint fingerprint() override;
  // In the attempt's directory. "input" is a link that start() makes for the mount of that job path.
  std::string job_path(const AttemptPaths& paths, std::string_view which) const override;
  WorkingCopy working_copy(const AttemptPaths& paths) const override;
  // Mounts whose job path is not their host path become links, and must lie in the attempt's run/.
  // hidden_paths, home_cache and network: false cannot be had: they are ignored.
  Result<void> start(const LaunchSpec& spec) override;
  Result<AttemptPhase> recover(const AttemptPaths& paths) override;
  Result<ExitReport> wait(const AttemptPaths& paths, std::stop_token stop) override;
  Result<void> stop(const AttemptPaths& paths, std::chrono::milliseconds grace) override;
  Result<void> destroy(const AttemptPaths& paths) override;

 private:
  InitRunner runner_;
};

}  // namespace plz
