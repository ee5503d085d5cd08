// The controller's copies of attempts' logs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"

namespace plz {

// Where a time lies in a log: bytes from `offset` on were read at `time` or later.
struct LogMark {
  Timestamp time;
  uint64_t offset = 0;
  bool operator==(const LogMark&) const = default;
};

struct LogState {
  uint64_t bytes = 0;
  bool sealed = false;  // nothing will follow
};

// Bytes of a log that are not what was acknowledged: [from, to), of which not all need to be there.
struct LogDamage {
  uint64_t from = 0, to = 0;
  std::string fault;  // goes on after "bytes 5 to 7: "
  bool operator==(const LogDamage&) const = default;
};

// What lies there, as it was looked at.
struct LogLook {
  uint64_t bytes = 0;
  std::vector<LogDamage> damage;
};

// Thread-safe. A log is named by its attempt's id; one that was never appended to is empty.
class LogStore {
 public:
  virtual ~LogStore() = default;
  // Appends at `offset`. What lies before the log's end is there already and is skipped, so that a
  // repeated report neither doubles nor loses a byte. An offset beyond the end is a conflict (the
  // message tells the size, state() too), and so is anything new once the log is sealed.
  virtual Result<LogState> append(const Uuid& attempt, uint64_t offset, std::string_view bytes) = 0;
  virtual Result<void> add_marks(const Uuid& attempt, const std::vector<LogMark>& marks) = 0;
  virtual Result<LogState> state(const Uuid& attempt) = 0;
  // Reads up to `size` bytes; fewer at the end. Does not block.
  virtual Result<size_t> read(const Uuid& attempt, uint64_t offset, void* buffer, size_t size) = 0;
  // The offset from which bytes of `time` or later lie.
  virtual Result<uint64_t> offset_at(const Uuid& attempt, Timestamp time) = 0;
  // On return the log is durable, and sealed.
  virtual Result<void> seal(const Uuid& attempt) = 0;
  virtual Result<void> remove(const Uuid& attempt) = 0;

  // Reads the log from the piece (LogSums) in which `from` lies to its end, and compares it with its checksums. What
  // has none is taken as it is.
  virtual Result<LogLook> look(const Uuid& attempt, uint64_t from) = 0;
  // Of a log that is not sealed: appends go on at the beginning of what is damaged, so that whoever still has the bytes
  // sends them again. What lies there stays readable until then. False: nothing is damaged from `from` on.
  virtual Result<bool> take_anew(const Uuid& attempt, uint64_t from) = 0;

  // `wake` is called after each append or seal of this log, from any thread, until the returned
  // token is destroyed.
  virtual std::shared_ptr<void> subscribe(const Uuid& attempt, std::function<void()> wake) = 0;
};

}  // namespace plz
