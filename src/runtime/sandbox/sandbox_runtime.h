// Jobs in a bubblewrap sandbox over the host's own file system, without root. See design.md, "What a
// job sees". The code is an overlay in a user namespace of ours; where that cannot be mounted, a copy.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "runtime/init_runner.h"
#include "runtime/runtime.h"
#include "runtime/sandbox/sandbox_layout.h"

namespace plz {

struct SandboxSettings {
  std::string plz_init_path;
  std::string bwrap_path;        // "": looked for in `path`
  std::string path;              // as PATH; "": the usual directories
  std::string probe_directory;   // where attempts' directories will lie: fingerprint tries it out there
};

class SandboxRuntime final : public Runtime {
 public:
  explicit SandboxRuntime(SandboxSettings settings);

  // Runs a small sandbox, once, the first time it is asked (some 10 ms).
  RuntimeFingerprint fingerprint() override;
  // "code": /src; every other: below /plz.
  std::string job_path(const AttemptPaths& paths, std::string_view which) const override;
  Result<void> start(const LaunchSpec& spec) override;
  Result<AttemptPhase> recover(const AttemptPaths& paths) override;
  Result<ExitReport> wait(const AttemptPaths& paths, std::stop_token stop) override;
  Result<void> stop(const AttemptPaths& paths, std::chrono::milliseconds grace) override;
  Result<void> destroy(const AttemptPaths& paths) override;

 private:
  RuntimeFingerprint probe();
  Result<void> run_probe(const std::string& directory, bool& overlay);

  const SandboxSettings settings_;
  const std::string bwrap_path_;  // "": there is none
  InitRunner runner_;
  std::mutex mutex_;
  std::optional<RuntimeFingerprint> fingerprint_;  // guarded by mutex_
  std::atomic<bool> try_overlay_{true};
};

}  // namespace plz
