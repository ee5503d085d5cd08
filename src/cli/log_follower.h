// Shows a log while it is written, also across the end of the controller that sends it.
#pragma once

#include <chrono>
#include <cstdint>

#include "cli/interrupt.h"
#include "cli/session.h"

namespace plz {

enum class FollowEnd {
  complete,     // the whole log was shown
  interrupted,  // Ctrl-C
  reader_gone,  // nobody reads what we write
};

class LogFollower {
 public:
  LogFollower(Session& session, Interrupt& interrupt) : session_(session), interrupt_(interrupt) {}

  // Writes the bytes to the session's output, each once and in order. When the controller goes away
  // it is found or started again, and the log goes on at the next byte; an error after
  // kPatience without any success.
  Result<FollowEnd> follow(LogsRequest request);

  static constexpr std::chrono::seconds kPatience{300};

 private:
  Result<void> follow_once(LogsRequest& request);

  Session& session_;
  Interrupt& interrupt_;
  SteadyTime last_success_;
};

}  // namespace plz
