// Matches queued executions with instances that have room. First in, first out among equals: an
// execution that waits for a kind of resource (processors, memory, GPUs) lets nobody that wants the
// same kind overtake it, and everybody else. One that no instance could run even if it were free holds up nobody.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "controller/notifier.h"
#include "controller/services/disk_watch.h"
#include "controller/services/execution_service.h"
#include "controller/services/worker_service.h"

namespace plz {

// One instance's room, as a value: pure, and tested by tables.
struct Room {
  InstanceId id;
  double cpus = 0;
  uint64_t memory_bytes = 0;
  std::vector<std::string> gpus;
};
// What the instances have left, and what they have; and which disks are full.
struct Outlook {
  std::vector<Room> free;
  std::vector<Capacity> instances;
  std::string full_disks = {};
  std::string obstacle = {};  // to there being any instance
};
enum class Shortage { none, cpus, memory, gpus, instance };
// none: it fits.
Shortage shortage_of(const Resources& wanted, const Room& room);
void take(const Resources& wanted, Room& room, std::vector<std::string>& gpu_ids);

class Scheduler {
 public:
  Scheduler(ExecutionService& executions, WorkerService& workers, const DiskWatch& disks, Notifier& notifier,
            const Clock& clock);
  ~Scheduler();

  // Starts the thread; it looks whenever an execution or an instance changes.
  void start();
  void stop();
  // One look: assigns what fits. For tests, and called by the thread.
  void run_once();

  // Why a queued execution is not running yet, or why an unfinished one may not go on, as a sentence's end:
  // "2 processors: …".
  std::string explain(const Execution& execution) const;
  // The same for many, which are told by one look.
  Outlook outlook() const;
  // Why there is no instance, where that is known.
  void set_obstacle(const std::string& words);
  std::string explain(const Execution& execution, const Outlook& outlook) const;

 private:
  std::string why_not_running(const Execution& execution, const Outlook& outlook) const;
  std::vector<Room> empty_rooms() const;  // of instances as if nothing ran on them
  std::vector<Room> rooms() const;
  bool assign(const Execution& execution, Room& room);
  void put_back(ExecutionId id, AttemptId attempt);
  void loop(std::stop_token stop);

  ExecutionService& executions_;
  WorkerService& workers_;
  const DiskWatch& disks_;
  Notifier& notifier_;
  const Clock& clock_;
  std::shared_ptr<void> changes_;
  mutable std::mutex obstacle_mutex_;
  std::string obstacle_;  // guarded by obstacle_mutex_
  std::mutex mutex_;
  std::condition_variable_any wanted_;
  bool look_again_ = true;
  std::jthread thread_;
};

}  // namespace plz
