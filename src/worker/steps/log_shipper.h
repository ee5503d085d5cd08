// Carries a log file of an attempt to the controller.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "os/fd.h"
#include "worker/connections.h"
#include "worker/storage_patience.h"

namespace plz {

inline constexpr size_t kLogPieceBytes = 4u << 20;

// Not thread-safe. Memory: one piece, while there is something to send.
class LogShipper {
 public:
  // A recovered attempt's log may be there in part: then the controller is asked first.
  LogShipper(AttemptId attempt, AttemptLog log, std::string path, bool recovered, Connections& connections,
             const Clock& clock);

  // Sends the next piece; false: there was none. Where the controller had more or less of it than
  // thought, goes on from there.
  Result<bool> ship_piece();
  // Sends the rest, for as long as it takes while the controller is away. invalid: it takes none, and the patience
  // with that is over.
  Result<void> ship_rest(const std::stop_token& stop, StoragePatience& patience);
  // What is there and was not sent.
  uint64_t unshipped() const;
  // The controller says that it lacks something: ask it again how much it has.
  void forget_position() { known_ = false; }
  uint64_t shipped() const { return shipped_; }

 private:
  Result<size_t> read_piece();

  const AttemptId attempt_;
  const AttemptLog log_;
  const std::string path_;
  Connections& connections_;
  const Clock& clock_;
  bool known_;
  uint64_t shipped_ = 0;
  UniqueFd file_;
  std::string buffer_;
};

}  // namespace plz
