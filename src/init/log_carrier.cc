#include "init/log_carrier.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "init/log_copier.h"
#include "init/message.h"
#include "init/record.h"

namespace plz::init {
namespace {

constexpr int kPiecesAtOnce = 16;
constexpr int64_t kFirstPause = 20'000;
constexpr int64_t kLastPause = 2'000'000;

}  // namespace

bool LogCarrier::open(int attempt_directory, int pipe) {
  attempt_directory_ = attempt_directory;
  pipe_ = pipe;
  if (lock_.take(attempt_directory) != OuterLock::Attempted::taken) return false;
  if (log_.open(attempt_directory)) return true;
  complain_errno("cannot open the log");
  return false;
}

int64_t LogCarrier::next_try_us() const { return retry_at_us_ > 0 ? retry_at_us_ : INT64_MAX; }

void LogCarrier::carry() {
  if (retry_at_us_ > Moment::now().boottime_us) return;
  for (int i = 0; i < kPiecesAtOnce; ++i) {
    int64_t n = log_.take_from(pipe_, /*last=*/false);
    bool is_stuck = n < 0 && errno != EAGAIN && errno != EINTR;
    if (is_stuck) {
      lock_.tell_status(strerror(errno));
      pause_us_ = std::clamp(pause_us_ * 2, kFirstPause, kLastPause);
      retry_at_us_ = Moment::now().boottime_us + pause_us_;
      return;
    }
    if (retry_at_us_ > 0) lock_.tell_status("ok");
    retry_at_us_ = pause_us_ = 0;
    if (n <= 0) return;
  }
}

int64_t LogCarrier::finish() { return copy_log(pipe_, log_, attempt_directory_, lock_, CopyUntil::empty); }

}  // namespace plz::init
