// What tells that a file is the one that was read before.
#pragma once

#include <sys/stat.h>
#include <time.h>

#include <cstdint>

namespace plz {

struct FileStamp {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t modified_ns = 0, changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

inline int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

inline FileStamp stamp_of(const struct stat& st) {
  return {st.st_dev, st.st_ino, static_cast<uint64_t>(st.st_size), nanoseconds(st.st_mtim), nanoseconds(st.st_ctim)};
}

// The clock that file systems stamp with: it advances with the kernel's tick. From Linux 6.13 on a
// stamp may be ahead of it, by a tick at most (multigrain timestamps): such a file is read once more.
inline int64_t file_system_now_ns() {
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return nanoseconds(now);
}

// Whether a later edit is sure to change the stamp, of a file whose reading began at `began_ns`: a
// file changed within the same tick could be changed again without a trace (as git's racy entries).
// Whole seconds speak of a file system that keeps no finer time.
inline bool is_settled(const FileStamp& stamp, int64_t began_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  bool coarse = stamp.changed_ns % kSecond == 0 && stamp.modified_ns % kSecond == 0;
  return stamp.changed_ns + (coarse ? 2 * kSecond : 0) < began_ns;
}

}  // namespace plz
