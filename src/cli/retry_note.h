// Says that something is tried again, and why, so that nobody waits in silence.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cli/messages.h"

namespace plz {

// Thread-safe. What it refers to outlives it.
class RetryNote {
 public:
  // What passes within this time is not worth a message.
  static constexpr std::chrono::milliseconds kUnsaid{500};

  RetryNote(Messages& messages, const Clock& clock) : messages_(messages), clock_(clock) {}

  // A try has failed, and another follows; nothing has succeeded `since`. Each cause is told once.
  void failed(const Error& error, SteadyTime since);

 private:
  Messages& messages_;
  const Clock& clock_;
  std::mutex mutex_;
  std::set<std::string> told_;
};

}  // namespace plz
