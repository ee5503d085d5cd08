// Threads on which handlers run and may block.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "os/wake.h"

namespace plz {

// Starts a thread with a small stack and with every signal blocked: signals are the main thread's.
Result<pthread_t> start_thread(const char* name, std::function<void()> run);

// Thread-safe. So many handlers run at once; further ones may wait for their peers meanwhile (PeerWait), and run again
// in the order in which they can, among those that were submitted. Threads are started when there is work for them.
class HandlerPool {
 public:
  HandlerPool(int most_running, size_t most_waiting)
      : most_running_(static_cast<size_t>(most_running > 0 ? most_running : 1)), most_waiting_(most_waiting) {}
  ~HandlerPool();  // finishes what was submitted

  // unavailable: there is no thread, and none can be started.
  Result<void> submit(std::function<void()> job);
  // Tells the handler that has waited for its peer for longest, and at least so long, to give up. False: there is none.
  bool end_longest_wait(std::chrono::milliseconds at_least);
  size_t threads() const;
  size_t waiting() const;  // for their peers, or to run again after that

 private:
  friend class PeerWait;
  using Time = std::chrono::steady_clock::time_point;
  struct Wait {
    explicit Wait(Wake& wake) : wake(wake) {}
    Wake& wake;
    const Time since = std::chrono::steady_clock::now();
    std::list<Wait*>::iterator place;  // in waits_, until it is told to end
    std::condition_variable may_run;
    bool is_told_to_end = false, runs = false;
  };
  struct Entry {  // a job, or a handler that goes on
    std::function<void()> job;
    Wait* wait = nullptr;
  };

  void work();
  void schedule();
  bool let_run(Entry& entry);
  bool give_to_thread(std::function<void()>& job);
  void end_longest();
  void begin_wait(Wait& wait);
  void finish_wait(Wait& wait);
  void join_ended(std::unique_lock<std::mutex>& lock);

  const size_t most_running_, most_waiting_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable ready_, one_ended_;
  std::deque<Entry> queue_;                  // wait for their turn
  std::deque<std::function<void()>> given_;  // have it, and a thread that is about to take them
  std::list<Wait*> waits_;                   // for their peers; the longest first
  std::list<pthread_t> threads_;
  std::vector<pthread_t> ended_;  // to be joined
  size_t running_ = 0, idle_ = 0, waiting_ = 0;
  bool stopping_ = false;
};

// One handler's waits for its peer, during which others run in its place. Used on the handler's thread.
class PeerWait {
 public:
  explicit PeerWait(HandlerPool& pool) : pool_(pool) {}

  // True: the descriptor is ready for `events`; false: the time is over. unavailable: others need what this handler
  // holds; there is no further wait then. The time that it takes to run again does not count.
  Result<bool> wait(int fd, short events, std::chrono::milliseconds at_most);

 private:
  HandlerPool& pool_;
  std::optional<Wake> wake_;  // made when it is first needed
};

}  // namespace plz
