// Shows a log while it is written, also across the end of the controller that sends it.
#pragma once

#include <chrono>
#include <cstdint>

#include "cli/interrupt.h"
#include "cli/line_ledger.h"
#include "cli/session.h"

namespace plz {

enum class FollowEnd {
  complete,     // the whole log was shown
  interrupted,  // Ctrl-C
  reader_gone,  // nobody reads what we write
};

// For one log. Bytes go to the session's output, each once and in order. When the controller goes
// away it is found or started again, and the log goes on where it broke off: by its offset; where
// only a time is known, by what was received since then; of a composite, whose parts may be
// interleaved otherwise the next time, by the lines that were shown.
class LogFollower {
 public:
  LogFollower(Session& session, Interrupt& interrupt) : session_(session), interrupt_(interrupt) {}

  // An error when nothing was received for kPatience in spite of all attempts.
  Result<FollowEnd> follow(LogsRequest request, bool composite);

  static constexpr std::chrono::seconds kPatience{300};

 private:
  Result<FollowEnd> follow_to_end(LogsRequest request);
  Result<void> follow_once(const LogsRequest& request);
  LogsRequest resumed(LogsRequest request);
  Result<void> take(std::string_view bytes);
  void tell_of_trouble(const Error& error);

  Session& session_;
  Interrupt& interrupt_;
  bool composite_ = false;
  bool trouble_told_ = false;
  Timestamp began_;
  SteadyTime last_success_;
  uint64_t received_ = 0;  // of the log, each byte once
  uint64_t to_skip_ = 0;   // of what comes: it was received before
  LineLedger lines_;       // composites
};

}  // namespace plz
