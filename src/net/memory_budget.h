// What the connections of one server may keep in memory between them.
#pragma once

#include <atomic>
#include <cstddef>

namespace plz {

// Thread-safe. What many can have without effort leaves more of it than what few need: input that waits for its rest
// and streams' pieces leave a half, large bodies and answers a quarter, so that none of them shuts out all the others.
class MemoryBudget {
 public:
  explicit MemoryBudget(size_t bytes) : bytes_(bytes), left_(bytes) {}
  size_t half() const { return bytes_ / 2; }
  size_t left() const { return left_; }

 private:
  friend class MemoryShare;

  // False, and nothing is taken: less than `to_leave` would be left.
  bool take(size_t bytes, size_t to_leave) {
    size_t left = left_;
    do
      if (left < bytes || left - bytes < to_leave) return false;
    while (!left_.compare_exchange_weak(left, left - bytes));
    return true;
  }
  void give(size_t bytes) { left_ += bytes; }

  const size_t bytes_;
  std::atomic<size_t> left_;
};

// What one holder has of a budget, which outlives it. Used by one thread at a time.
class MemoryShare {
 public:
  explicit MemoryShare(MemoryBudget& budget) : budget_(budget) {}
  ~MemoryShare() { budget_.give(held_); }
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;

  // Holds that much from now on, in place of what it held. False, and nothing changes: the rest of the budget would
  // be less than `to_leave`.
  bool hold(size_t bytes, size_t to_leave = 0) {
    if (bytes > held_ && !budget_.take(bytes - held_, to_leave)) return false;
    if (bytes < held_) budget_.give(held_ - bytes);
    held_ = bytes;
    return true;
  }
  size_t held() const { return held_; }

 private:
  MemoryBudget& budget_;
  size_t held_ = 0;
};

}  // namespace plz
