// When something last happened, noted by many threads.
#pragma once

#include <atomic>
#include <chrono>

namespace plz {

class ActivityClock {
 public:
  using Time = std::chrono::steady_clock::time_point;
  ActivityClock() { touch(); }
  void touch() { last_ = std::chrono::steady_clock::now().time_since_epoch().count(); }
  Time last() const { return Time(Time::duration(last_.load())); }

 private:
  std::atomic<Time::rep> last_;
};

}  // namespace plz
