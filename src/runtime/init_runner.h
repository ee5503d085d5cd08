// The part of a runtime that speaks with plz-init: the same for every runtime whose first process is
// plz-init on this machine.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "os/fd.h"
#include "runtime/attempt_records.h"
#include "runtime/init_spec.h"
#include "runtime/runtime.h"

namespace plz {

// Thread-safe. Outer halves are children of this process: it reaps them, so the process must not wait
// for children that it does not know.
class InitRunner {
 public:
  explicit InitRunner(std::string plz_init_path) : plz_init_path_(std::move(plz_init_path)) {}

  // These are as in Runtime. Above `memory_bytes` (0: no limit) the kernel kills the job, where a cgroup
  // can be made; elsewhere the limit is not kept, which the outcome's reason says in a line of its own.
  Result<void> start(const AttemptPaths& paths, InitSpec spec, uint64_t memory_bytes);
  Result<AttemptPhase> recover(const AttemptPaths& paths);
  Result<ExitReport> wait(const AttemptPaths& paths, std::stop_token stop);
  Result<void> stop(const AttemptPaths& paths, std::chrono::milliseconds grace);
  Result<void> destroy(const AttemptPaths& paths);

  // Below the attempt's directory, the runtime's own: private copies and layers.
  static std::string run_directory(const AttemptPaths& paths) { return paths.directory + "/run"; }

 private:
  Result<AttemptRecords> wait_for_records(const AttemptPaths& paths, std::stop_token stop);
  Result<void> spawn_outer(const AttemptPaths& paths);
  // A descriptor that becomes readable when the outer half that cares for the attempt ends; nullopt:
  // there is none.
  Result<std::optional<UniqueFd>> watch_outer(const AttemptPaths& paths);
  Result<bool> wait_for_outer(const AttemptPaths& paths, int wake_fd);
  void reap_children();

  const std::string plz_init_path_;
  std::mutex mutex_;
  std::map<std::string, pid_t> children_;  // by attempt directory; guarded by mutex_
};

}  // namespace plz
