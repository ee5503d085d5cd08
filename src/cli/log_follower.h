// Shows a log while it is written, also across the end of the controller that sends it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/patience.h"
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
// away it is found or started again, and the log goes on at the byte where it broke off; that of a
// composite, whose parts may be interleaved otherwise the next time, with the lines that were not shown.
class LogFollower {
 public:
  LogFollower(Session& session, Interrupt& interrupt) : session_(session), interrupt_(interrupt) {}

  // An error, which says how to go on, when the controller was out of reach for kPatience in spite of all
  // attempts, and at once when our own output cannot be written. A log may be silent for as long as it likes.
  Result<FollowEnd> follow(LogsRequest request, bool composite);

  // Where in the log the first byte shown lies; 0 of a composite, and if the controller never answered.
  uint64_t first_offset() const { return first_offset_.value_or(0); }

  static constexpr std::chrono::seconds kPatience = kPatienceWithController;

 private:
  Result<FollowEnd> follow_to_end();
  Result<void> follow_once();
  void begin_at(std::optional<uint64_t> offset);
  void begin_anew();
  Result<void> take(std::string_view bytes);
  bool is_patient();
  void tell_of_trouble(const Error& error);

  Session& session_;
  Interrupt& interrupt_;
  LogsRequest request_;  // what to ask for next
  bool composite_ = false;
  bool trouble_told_ = false;
  Timestamp began_;
  std::optional<SteadyTime> began_stream_;   // the last one; none if it did not begin
  std::optional<SteadyTime> failing_since_;  // the first failure of an unbroken row
  std::optional<uint64_t> first_offset_;
  uint64_t received_ = 0;  // bytes
  LineLedger lines_;       // composites
};

}  // namespace plz
