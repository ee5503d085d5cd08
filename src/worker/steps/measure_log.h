// What a job has measured so far, on disk: events are written here before they are reported, so that a
// worker that takes over reports them again under their old numbers, which is harmless.
//
// The file is a row of records, each a line of numbers, the path and the value:
//   sequence time_us index|- inode bytes mtime_ns ctime_ns content_hash path_bytes value_bytes "\n"
//   path "\n" value "\n"
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/execution.h"
#include "os/fd.h"

namespace plz {

// Which content of a measure's file was read.
struct MeasureStamp {
  uint64_t inode = 0, bytes = 0;
  int64_t mtime_ns = 0, ctime_ns = 0;
  uint64_t content_hash = 0;
  bool same_file_state(const MeasureStamp& other) const {
    return inode == other.inode && bytes == other.bytes && mtime_ns == other.mtime_ns && ctime_ns == other.ctime_ns;
  }
};

// Not thread-safe.
class MeasureLog {
 public:
  explicit MeasureLog(std::string path) : path_(std::move(path)) {}

  // Reads what an earlier worker wrote, calling `known` with each (no value); cuts off an unfinished end.
  using Known = std::function<void(const MeasureEvent& event, const MeasureStamp& stamp)>;
  Result<void> open(const Known& known);
  // Gives the event its number. Small ones are kept in memory until flush(), and do not fail.
  Result<void> add(const MeasureEvent& event, const MeasureStamp& stamp);
  Result<void> flush();
  size_t unflushed_bytes() const { return unflushed_.size(); }

  // The next events that were not taken yet, of flushed ones: some, about `most_bytes` of values (but
  // one at least). Empty: all were taken.
  Result<std::vector<MeasureEvent>> next(size_t most_events, size_t most_bytes);
  // What next() gave last has arrived. Without this, next() gives it again.
  void taken() { taken_ = given_; }
  bool all_taken() const { return taken_ == size_; }

 private:
  struct Record;
  Result<void> open_file();
  Result<void> append(std::initializer_list<std::string_view> pieces);
  Result<std::optional<Record>> read_record(uint64_t offset, bool with_value);

  const std::string path_;
  UniqueFd file_;
  uint64_t size_ = 0;   // of whole records in the file
  uint64_t taken_ = 0;  // offset: what is before was acknowledged
  uint64_t given_ = 0;
  uint64_t sequence_ = 0;
  std::string unflushed_;
};

}  // namespace plz
