// One outer half at a time for an attempt.
#pragma once

#include "init/file.h"

namespace plz::init {

class OuterLock {
 public:
  enum class Attempted { taken, busy, failed };
  // Does not wait. Once taken, the lock lasts until this process is gone, however that happens: it is
  // a record lock of fcntl(2), which children do not inherit and which others can ask about.
  Attempted take(int attempt_directory);
  // A few words for people and for the worker, in place of the last ones.
  void tell_status(const char* status);

 private:
  Fd fd_;
};

}  // namespace plz::init
