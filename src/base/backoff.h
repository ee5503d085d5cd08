// How long to wait before trying again.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include "base/clock.h"

namespace plz {

struct BackoffSettings {
  std::chrono::milliseconds first{100};
  std::chrono::milliseconds most{10'000};
};

// Delays that double from `first` to `most`, each shortened by up to a quarter at random, so that many
// that lost the same peer do not come back at once. After a quiet time of twice `most` it begins anew.
// Not thread-safe.
class Backoff {
 public:
  explicit Backoff(const Clock& clock, BackoffSettings settings = {});
  // After a failure: how long to wait.
  std::chrono::milliseconds next();
  void reset() { failures_ = 0; }

 private:
  const Clock& clock_;
  const BackoffSettings settings_;
  uint64_t random_;
  unsigned failures_ = 0;
  std::optional<SteadyTime> last_;
};

// Waits; false, and sooner, when `stop` asks for the end.
bool wait_unless_stopped(const std::stop_token& stop, std::chrono::milliseconds time);

}  // namespace plz
