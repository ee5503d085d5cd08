// The attempt's log on disk, with room for the last words of a job that has filled the disk.
#pragma once

#include <cstddef>
#include <cstdint>

#include "init/file.h"

namespace plz::init {

// Keeps some MiB on disk beyond the log's end, as long as there is space: a job that finds the disk
// full says so, and what it says must have a place. Half of that is kept for what is in the pipe when
// the job ends. One writer at a time (OuterLock).
class LogFile {
 public:
  // False with errno set.
  bool open(int attempt_directory);
  // Moves what is there from the pipe, up to a megabyte, as splice(2) without waiting: its result and
  // its errno; ENOSPC also when only the job's last words have room. `last` says that these are they.
  int64_t take_from(int pipe, bool last);
  int64_t size() const { return size_; }
  // Gives back what is kept beyond the end.
  void close();

 private:
  size_t room();

  Fd fd_;
  int64_t size_ = 0;
  int64_t reserved_end_ = 0;
  bool can_reserve_ = true;
};

}  // namespace plz::init
