#include "init/log_copier.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "init/contract.h"
#include "init/file.h"

namespace plz::init {
namespace {

constexpr size_t kChunkBytes = 1 << 20;
constexpr int kStragglerMilliseconds = 5000;
constexpr int kFirstRetryMilliseconds = 20;
constexpr int kLastRetryMilliseconds = 2000;

// Waits for bytes or the end. False: the job is over, and whoever holds the pipe writes nothing.
bool wait_for_bytes(int pipe, int attempt_directory) {
  for (;;) {
    pollfd ready{pipe, POLLIN, 0};
    int n = poll(&ready, 1, kStragglerMilliseconds);
    if (n > 0) return true;
    if (n == 0 && record_is_complete(attempt_directory, kExitFile)) return false;
  }
}

}  // namespace

int64_t copy_log(int pipe, int log, int attempt_directory, OuterLock& lock, CopyUntil until) {
  off64_t size = lseek64(log, 0, SEEK_END);
  int retry = kFirstRetryMilliseconds;
  for (;;) {
    ssize_t n = splice(pipe, nullptr, log, &size, kChunkBytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n == 0) return size;
    if (n > 0) {
      if (retry != kFirstRetryMilliseconds) lock.tell_status("ok");
      retry = kFirstRetryMilliseconds;
    } else if (errno == EAGAIN) {
      if (until == CopyUntil::empty || !wait_for_bytes(pipe, attempt_directory)) return size;
    } else if (errno != EINTR) {
      lock.tell_status(strerror(errno));
      poll(nullptr, 0, retry);
      retry = std::min(retry * 2, kLastRetryMilliseconds);
    }
  }
}

}  // namespace plz::init
