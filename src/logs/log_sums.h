// The checksums of one log: UUID.sums beside UUID.log. 16 bytes, then 16 for each piece of 64 KiB of the log, the last
// of which is rewritten as its piece grows; numbers are little-endian:
//   "plzsums1", u32 bytes of a whole piece, u32 0
//   u64 XXH3-64 of the piece's first bytes, u32 how many these are, u32 the low half of XXH3-64 of what stands before
//   it in the entry and the piece's number (u64)
// An entry is written after the bytes it speaks of, and is never synced by itself: after the end of the machine one may
// be old, or zeros. Either says less of the log, and nothing that is untrue. Logs of builds before this one have none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/log_store.h"
#include "os/fd.h"

namespace plz {

// Not thread-safe, but that what is there is looked at while another one appends.
class LogSums {
 public:
  static constexpr uint64_t kPieceBytes = 64u << 10;

  // nullptr: there is none.
  static Result<std::unique_ptr<LogSums>> open(const std::string& path);
  static Result<std::unique_ptr<LogSums>> create(const std::string& path);
  ~LogSums();

  // So much of the log was written, and the checksums say so.
  uint64_t covered() const { return covered_; }
  // Takes up the row at the beginning of the piece that `bytes` lies in, or at `bytes` itself if the log is whole up to
  // there. What was said of what follows stands until it is said anew.
  Result<void> go_back_to(uint64_t bytes);
  // These were written to `log` at covered().
  Result<void> add(int log, std::string_view bytes);
  // Nothing lies behind covered().
  Result<void> end_here();
  // Asks for it to be written to disk, without waiting.
  void begin_sync();

  // Of the log, which has so many bytes, from the piece in which `from` lies. What it was never told of is not looked
  // at.
  Result<std::vector<LogDamage>> damage(int log, uint64_t log_bytes, uint64_t from) const;

 private:
  struct Entry;
  struct Running;  // the checksum of the last piece
  LogSums(std::string path, UniqueFd fd);
  Result<void> read_end();
  Result<std::optional<Entry>> read_entry(uint64_t number) const;
  Result<void> take_up(int log);

  const std::string path_;
  const UniqueFd fd_;
  uint64_t covered_ = 0;
  bool header_is_there_ = true, header_is_damaged_ = false;
  std::unique_ptr<Running> running_;  // nullptr: has to be made from the log
};

}  // namespace plz
