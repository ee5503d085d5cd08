// Threads on which handlers run and may block.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "base/result.h"

namespace plz {

// Starts a thread with a small stack and with every signal blocked: signals are the main thread's.
Result<pthread_t> start_thread(const char* name, std::function<void()> run);

// Thread-safe. Threads are started when there is work for them, up to the limit.
class HandlerPool {
 public:
  explicit HandlerPool(int limit) : limit_(static_cast<size_t>(limit > 0 ? limit : 1)) {}
  ~HandlerPool();  // finishes what was submitted

  // unavailable: there is no thread, and none can be started.
  Result<void> submit(std::function<void()> job);
  size_t threads() const;

 private:
  void work();

  const size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> jobs_;
  std::vector<pthread_t> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace plz
