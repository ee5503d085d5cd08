// Ctrl-C, as a flag and as a call.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "os/fd.h"

namespace plz {

// While one lives, the first SIGINT, SIGTERM or SIGHUP of the process raises it; a second one ends
// the process, as if there were no Interrupt. At most one at a time. Thread-safe.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool raised() const;
  const std::atomic<bool>* flag() const;
  // 128 plus the signal's number: what a shell would show.
  int exit_status() const;

  // Calls `wake` from another thread when it is raised; at once if it is already. After the
  // subscription's end it is not called, and is not running any more.
  class Subscription {
   public:
    Subscription(Interrupt& interrupt, uint64_t key) : interrupt_(&interrupt), key_(key) {}
    Subscription(Subscription&& other) noexcept
        : interrupt_(std::exchange(other.interrupt_, nullptr)), key_(other.key_) {}
    Subscription& operator=(Subscription&&) = delete;
    ~Subscription();

   private:
    Interrupt* interrupt_;
    uint64_t key_;
  };
  [[nodiscard]] Subscription on_raise(std::function<void()> wake);

  // True as soon as it is raised, false after the time.
  bool wait_for(std::chrono::milliseconds time);

 private:
  void watch();

  UniqueFd reader_, writer_;
  std::mutex mutex_;
  std::condition_variable raised_;
  std::map<uint64_t, std::function<void()>> wakes_;
  uint64_t next_key_ = 0;
  bool announced_ = false;
  std::jthread watcher_;
};

}  // namespace plz
