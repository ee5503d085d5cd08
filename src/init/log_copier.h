// Carries the job's output from the pipe to the log file.
#pragma once

#include <cstdint>

#include "init/log_file.h"
#include "init/outer_lock.h"

namespace plz::init {

enum class CopyUntil {
  closed,  // no process has the pipe open for writing; or the exit record is there, the pipe empty, and
           // who still holds it (a process that could not be killed) writes nothing
  empty,
};

// Bytes go by splice(2), from kernel to kernel: when this process is killed they are either in the pipe
// still or in the file, never both, never neither, and another process may go on from the file's end.
// While the disk is full the bytes stay in the pipe, the job waits, and the lock's file says so. Returns
// the log's size.
int64_t copy_log(int pipe, LogFile& log, int attempt_directory, OuterLock& lock, CopyUntil until);

}  // namespace plz::init
