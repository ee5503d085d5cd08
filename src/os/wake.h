// Wakes a thread that waits in poll(2).
#pragma once

#include <stop_token>

#include "base/result.h"
#include "os/fd.h"

namespace plz {

// Thread-safe once made. Stays awake until cleared.
class Wake {
 public:
  static Result<Wake> make();
  int fd() const { return fd_.get(); }  // readable once woken
  void wake() const;
  void clear() const;

 private:
  explicit Wake(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace plz
