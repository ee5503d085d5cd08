#include "init/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "init/contract.h"

namespace plz::init {
namespace {

constexpr int64_t kChunkBytes = 1 << 20;
constexpr int64_t kForLastWords = 1 << 20;  // what a pipe holds
constexpr int64_t kReserve = 3 << 20;

}  // namespace

bool LogFile::open(int attempt_directory) {
  fd_.reset(openat(attempt_directory, kLogFile, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd_) return false;
  size_ = reserved_end_ = lseek64(fd_.get(), 0, SEEK_END);
  return size_ >= 0;
}

size_t LogFile::room() {
  if (can_reserve_ && reserved_end_ - size_ < kForLastWords + kChunkBytes) {
    if (fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, size_, kReserve) == 0) reserved_end_ = size_ + kReserve;
    else if (errno != ENOSPC && errno != EDQUOT && errno != EINTR) can_reserve_ = false;
  }
  if (!can_reserve_) return kChunkBytes;
  return static_cast<size_t>(std::clamp<int64_t>(reserved_end_ - size_ - kForLastWords, 0, kChunkBytes));
}

int64_t LogFile::take_from(int pipe, bool last) {
  size_t most = last ? kChunkBytes : room();
  if (most == 0) {
    errno = ENOSPC;
    return -1;
  }
  off64_t offset = size_;
  ssize_t n = splice(pipe, nullptr, fd_.get(), &offset, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (n > 0) size_ += n;
  return n;
}

void LogFile::close() {
  // Truncating to its own size drops what was reserved beyond. The log is whole without that, too.
  if (reserved_end_ > size_ && ftruncate(fd_.get(), size_) != 0) return;
  fd_.reset();
}

}  // namespace plz::init
