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

  // `wake` is called after each append or seal of this log, from any thread, until the returned
  // token is destroyed.
  virtual std::shared_ptr<void> subscribe(const Uuid& attempt, std::function<void()> wake) = 0;
};

}  // namespace plz
