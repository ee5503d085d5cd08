// A few owned threads that run short tasks in order of arrival.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace plz {

// Thread-safe. Threads start when first needed.
class TaskPool {
 public:
  explicit TaskPool(size_t threads) : limit_(threads) {}
  ~TaskPool();
  // Nothing after stop().
  void post(std::function<void()> task);
  // Runs what is queued and waits for it.
  void stop();

 private:
  void work();

  const size_t limit_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> tasks_;
  size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace plz
