// One worker process on this machine. It outlives the controller: a controller that comes back finds
// it dialling in again, so create() is harmless while one is alive (the worker's own lock file in its
// directory decides, see app/plz_worker.cc). One that dials another address than ours, as its words say, cannot
// come back: it counts as gone, and create() ends it first.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "provider/provider.h"

namespace plz {

struct LocalProviderSettings {
  std::string worker_program;                 // path of plz-worker
  std::string worker_directory;               // its state
  std::string controller;                     // endpoint, as net/http_client.h parses it
  std::string log_path;                       // the worker's own log
  std::string hidden_directory;               // what jobs must not see: the controller's data
  Capacity capacity;                          // of this machine
  std::vector<std::string> worker_arguments;  // further ones
  std::optional<uint64_t> descriptor_limit;   // the worker's soft one, where this process has raised its own
};

class LocalProvider final : public Provider {
 public:
  explicit LocalProvider(LocalProviderSettings settings);
  std::string name() const override { return "local"; }
  Result<std::vector<Offer>> offers() override;
  // unavailable, once for each such end: the last one's worker ended as soon as it was started, with how and where it
  // may have said why.
  Result<void> create(InstanceId id, const MarketSpec& market) override;
  // Whether a worker holds the lock of the directory, whoever started it.
  Result<InstanceHealth> inspect(InstanceId id) override;
  // Asks the worker process to end (SIGTERM); its jobs are not touched.
  Result<void> end_worker(InstanceId id) override;
  Result<void> terminate(InstanceId id) override;

 private:
  void reap();
  Result<void> check_last_start();
  int holder() const;
  bool dials_elsewhere() const;
  Result<void> replace_stranger();

  LocalProviderSettings settings_;
  std::mutex mutex_;
  int pid_ = -1;
  std::chrono::steady_clock::time_point started_;
  std::string ended_at_once_;  // how the last one ended, if it did so by itself as soon as it was started
};

// A LocalProvider's worker holds this lock while it lives, and has written its process id into it.
std::string worker_lock_path(const std::string& worker_directory);

}  // namespace plz
