// The event loop: Asio behind plain functions, so that it is compiled once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace plz {

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  void run();   // until stop()
  void stop();  // thread-safe
  // Runs the task on the loop's thread, later. Thread-safe; tasks of one thread keep their order.
  void post(std::function<void()> task);

  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// Waits for a descriptor that somebody else owns, and that outlives this. Used on the loop's thread.
class FdWatch {
 public:
  FdWatch(EventLoop& loop, int fd);
  ~FdWatch();                // callbacks that wait are destroyed, not called
  bool is_watching() const;  // false: the kernel had no room for it

  // Called once, from the loop, when reading (writing) is worth trying. One at a time of each.
  void when_readable(std::function<void()> then);
  void when_writable(std::function<void()> then);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One timer. Used on the loop's thread.
class LoopTimer {
 public:
  explicit LoopTimer(EventLoop& loop);
  ~LoopTimer();
  void after(std::chrono::milliseconds delay, std::function<void()> then);  // replaces the last one

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
