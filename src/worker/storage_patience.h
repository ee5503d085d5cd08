// How long an attempt that is over waits for a controller which is there, but cannot take what the attempt has: its
// disk is full, most likely. While it is away nothing counts.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "worker/connections.h"

namespace plz {

// Used by one thread.
class StoragePatience {
 public:
  StoragePatience(AttemptId attempt, Connections& connections, const Clock& clock, std::chrono::milliseconds limit)
      : attempt_(attempt), connections_(connections), clock_(clock), limit_(limit) {}

  // After something was not taken. True: it has been like that for long enough.
  bool is_over() {
    if (!controller_answers()) {
      since_.reset();
      return false;
    }
    if (!since_) since_ = clock_.steady();
    return clock_.steady() - *since_ >= limit_;
  }
  // Something was taken.
  void renew() { since_.reset(); }

 private:
  // That it is away, and that its disk is full, are both `unavailable`.
  bool controller_answers() {
    auto asked = connections_.call([&](WorkerApi& api) { return api.log_size(attempt_, AttemptLog::job); });
    return asked || !is_temporary(asked.error().code);
  }

  const AttemptId attempt_;
  Connections& connections_;
  const Clock& clock_;
  const std::chrono::milliseconds limit_;
  std::optional<SteadyTime> since_;
};

}  // namespace plz
