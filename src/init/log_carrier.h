// Carries the log within the loop of a process that has other things to do, too.
#pragma once

#include <cstdint>

#include "init/log_file.h"
#include "init/outer_lock.h"

namespace plz::init {

class LogCarrier {
 public:
  // Takes the lock and opens the log. False: complained. `pipe` is not owned.
  bool open(int attempt_directory, int pipe);
  // To be polled for input; -1 while the disk is full.
  int poll_fd() const { return retry_at_us_ > 0 ? -1 : pipe_; }
  // When to call carry() at the latest, by Moment's boottime; INT64_MAX: when there is input.
  int64_t next_try_us() const;
  // Moves what is there, up to some megabytes; does not wait.
  void carry();
  // Moves the rest, however long the disk is full, and returns the log's size. Nobody writes any more.
  int64_t finish();

 private:
  OuterLock lock_;
  LogFile log_;
  int attempt_directory_ = -1;
  int pipe_ = -1;
  int64_t retry_at_us_ = 0;
  int64_t pause_us_ = 0;
};

}  // namespace plz::init
