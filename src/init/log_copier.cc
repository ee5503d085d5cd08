#include "init/log_copier.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "init/contract.h"
#include "init/file.h"

namespace plz::init {
namespace {

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

int64_t copy_log(int pipe, LogFile& log, int attempt_directory, OuterLock& lock, CopyUntil until) {
  bool last = until == CopyUntil::empty;
  for (int retry = kFirstRetryMilliseconds;;) {
    int64_t n = log.take_from(pipe, last);
    if (n == 0) break;
    if (n > 0) {
      if (retry != kFirstRetryMilliseconds) lock.tell_status("ok");
      retry = kFirstRetryMilliseconds;
    } else if (errno == EAGAIN) {
      if (until == CopyUntil::empty || !wait_for_bytes(pipe, attempt_directory)) break;
    } else if (errno != EINTR) {
      lock.tell_status(strerror(errno));
      poll(nullptr, 0, retry);
      retry = std::min(retry * 2, kLastRetryMilliseconds);
      last = last || record_is_complete(attempt_directory, kExitFile);
    }
  }
  log.close();
  return log.size();
}

}  // namespace plz::init
