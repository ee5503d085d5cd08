// Jobs in a sandbox over the host's own file system, without root. See design.md, "What a job sees".
// plz-init makes it, with the code as an overlay (or a copy, where that cannot be mounted). Where
// plz-init may not, bubblewrap does, with the code as a copy.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/init_runner.h"
#include "runtime/runtime.h"
#include "runtime/sandbox/sandbox_layout.h"

namespace plz {

enum class SandboxMaker { plz_init, bubblewrap };

struct SandboxSettings {
  std::string plz_init_path;
  std::string bwrap_path;                        // "": looked for in `path`
  std::string path;                              // as PATH; "": the usual directories
  std::string probe_directory;                   // where attempts' directories will lie: it is tried out there
  std::optional<SandboxMaker> maker;             // none: what works, plz-init first
  std::chrono::milliseconds look_again{30'000};  // after it was found to be refused
  std::chrono::milliseconds look_soon{500};      // after it failed in another way
};

class SandboxRuntime final : public Runtime {
 public:
  explicit SandboxRuntime(SandboxSettings settings)
      : settings_(std::move(settings)), runner_(settings_.plz_init_path) {}

  // Runs a small sandbox, once, the first time it is asked or something is started (some 10 ms). Where that failed,
  // but not since kernel or owner refuse a sandbox, it may come back.
  RuntimeFingerprint fingerprint() override;
  // "code": /src; every other: below /plz.
  std::string job_path(const AttemptPaths& paths, std::string_view which) const override;
  WorkingCopy working_copy(const AttemptPaths& paths) const override;
  Result<void> start(const LaunchSpec& spec) override;
  Result<AttemptPhase> recover(const AttemptPaths& paths) override;
  Result<ExitReport> wait(const AttemptPaths& paths, std::stop_token stop) override;
  Result<void> stop(const AttemptPaths& paths, std::chrono::milliseconds grace) override;
  Result<void> destroy(const AttemptPaths& paths) override;

 private:
  // How sandboxes are made here.
  struct Way {
    SandboxMaker maker = SandboxMaker::plz_init;
    std::string bwrap_path;
    bool overlay = true;
  };
  struct Probed {
    Way way;
    RuntimeFingerprint fingerprint;
  };
  Probed probed();
  Probed probe();
  Result<Way> try_out(SandboxMaker maker);
  Result<void> try_out_in(const std::string& directory, Way& way);
  Result<InitSpec> init_spec(const LaunchSpec& spec, const Way& way);

  const SandboxSettings settings_;
  InitRunner runner_;
  std::mutex mutex_;
  // Both guarded by mutex_; not changed after the sandbox was once found to work.
  std::optional<Probed> probed_;
  std::chrono::steady_clock::time_point probed_at_;
};

}  // namespace plz
