// Time: a clock that is handed in, so that tests can hold it still.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace plz {

// Wall-clock time in microseconds since the epoch, UTC.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;      // may jump
  virtual SteadyTime steady() const = 0;  // never goes back; for deadlines and durations
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  SteadyTime steady() const override;
};

class FakeClock final : public Clock {
 public:
  explicit FakeClock(Timestamp start = Timestamp(std::chrono::seconds(1'700'000'000)));
  Timestamp now() const override { return Timestamp(std::chrono::microseconds(now_.load())); }
  SteadyTime steady() const override { return SteadyTime(std::chrono::microseconds(steady_.load())); }
  void advance(std::chrono::microseconds by);  // both clocks
  void jump_to(Timestamp now);                 // the wall clock only

 private:
  std::atomic<int64_t> now_;
  std::atomic<int64_t> steady_;
};

// RFC 3339 with microseconds and Z: 2026-03-01T12:00:00.000000Z.
std::string format_rfc3339(Timestamp time);
// Takes RFC 3339 with Z or a numeric offset, with or without a fraction; a space may stand for T.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace plz
