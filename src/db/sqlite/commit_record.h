// How far SQLite's write-ahead log reached with the last commit, in a file beside it: DATABASE-acknowledged. A commit
// whose frame is damaged looks to SQLite like a write that the end of the process cut off; this tells them apart. 24
// bytes: "plzwal1\n", the log's salt as it lies there (8), u32 its frames, u32 these xor the salt's first word xor a
// constant; numbers are little-endian. Written after each commit, before it is acknowledged, and never synced: it holds
// for the end of a process, not for that of the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace plz {

// Used by one thread at a time.
class CommitRecord {
 public:
  struct Reached {
    std::string salt;  // 8 bytes: of which log
    uint32_t frames = 0;
  };
  // nullopt: there is none, or what is there is none.
  static Result<std::optional<Reached>> read(const std::string& database);

  explicit CommitRecord(std::string database) : database_(std::move(database)) {}
  // The log has so many frames by now. Where that cannot be noted, less is known later.
  void note(uint32_t frames);

 private:
  Result<void> open();

  const std::string database_;
  UniqueFd log_, record_;
  bool tried_ = false;
};

}  // namespace plz
