// The (time, offset) marks of one log: a file of pairs of 64-bit numbers, little-endian, microseconds
// first. Both only ever rise within it: where the clock has jumped back, marks keep the time from
// before the jump until the clock has caught up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "logs/log_store.h"
#include "os/fd.h"

namespace plz {

// Not thread-safe.
class LogMarks {
 public:
  // Appends marks. Those at an offset that has been marked, or before one, are dropped: they come
  // from a repeated report.
  static std::vector<LogMark> to_append(std::optional<LogMark> last, const std::vector<LogMark>& marks);

  explicit LogMarks(std::string path) : path_(std::move(path)) {}
  Result<void> append(const std::vector<LogMark>& marks);
  // The first mark of `time` or later. One that is less than a second older counts: what follows it
  // may be of `time`. Reads a few of them, not all.
  Result<std::optional<LogMark>> find(Timestamp time) const;
  static constexpr std::chrono::seconds kSpacing{1};

 private:
  std::string path_;
};

}  // namespace plz
