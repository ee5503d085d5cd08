// The disks that executions need: of the controller's data, and of the worker beside it. That one is full is said
// wherever somebody waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/execution.h"

namespace plz {

// What an unfinished execution waits for where disks are full, for Execution::waiting_for; "": none is.
std::string what_waits_for_room(ExecutionState state, const std::string& full_disks);

// Thread-safe. Each question is one to the file systems: some microseconds.
class DiskWatch {
 public:
  // Those on one disk are told of as the first. In the first, a file holds room for the ends of executions; with
  // none, nothing is held.
  explicit DiskWatch(std::vector<std::string> directories) : directories_(std::move(directories)) {}

  // Holds that room again, where there is enough for that. Now and then.
  void hold_reserve();
  // Gives it up, to what is small and must not wait. False: there is none.
  bool release_reserve();
  // For what is large, or can wait: none of it eats up what was given up. unavailable: a disk is full.
  Result<void> check_room() const;

  // "/data has 12.0 KiB free of 24.0 MiB" of each that is full, with a semicolon between; "": none is.
  std::string full() const;
  // `unavailable` with what is full, where that may be why.
  Error explained(Error error) const;

 private:
  static constexpr uint64_t kReserveBytes = 2u << 20;
  std::string reserve() const { return directories_.front() + "/reserve"; }

  const std::vector<std::string> directories_;
  std::atomic<bool> is_held_{true};  // until it is found not to be
};

}  // namespace plz
