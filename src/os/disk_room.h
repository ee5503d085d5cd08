// How much room there is where a directory lies, and whether that is none.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace plz {

struct DiskRoom {
  std::string directory;
  uint64_t free_bytes = 0;  // that this user may take
  uint64_t total_bytes = 0;
  bool has_no_names = false;  // no more files can be made there, however small

  // Less than this, and nothing can be counted on to be written.
  static constexpr uint64_t kLeastBytes = 1u << 20;
  bool is_full() const { return free_bytes < kLeastBytes || has_no_names; }
  // "/data has 12.0 KiB free of 24.0 MiB", "/data can hold no more files (12.0 GiB free of 20.0 GiB)"
  std::string words() const;
};

// Asks the file system; a directory that is not there is asked for above. What a quota allows is not seen.
Result<DiskRoom> disk_room(const std::string& directory);

}  // namespace plz
