#include "base/backoff.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace plz {
namespace {

uint64_t next_random(uint64_t& state) {  // xorshift64
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

}  // namespace

Backoff::Backoff(const Clock& clock, BackoffSettings settings)
    : clock_(clock),
      settings_(settings),
      random_((static_cast<uint64_t>(clock.now().time_since_epoch().count()) ^ reinterpret_cast<uintptr_t>(this)) | 1) {
}

std::chrono::milliseconds Backoff::next() {
  if (last_ && clock_.steady() - *last_ > 2 * settings_.most) reset();
  last_ = clock_.steady();
  auto delay = settings_.first.count() << std::min(failures_, 20u);
  delay = std::min(delay, settings_.most.count());
  if (failures_ < 20) ++failures_;
  return std::chrono::milliseconds(delay - delay * static_cast<int64_t>(next_random(random_) % 1024) / 4096);
}

bool wait_unless_stopped(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  return !changed.wait_for(lock, stop, time, [&] { return stop.stop_requested(); });
}

}  // namespace plz
