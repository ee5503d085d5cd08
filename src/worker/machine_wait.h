// Waits for what this machine lacks just now (room on a disk, memory, an engine), and tells the controller.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/result.h"
#include "model/ids.h"
#include "worker/connections.h"

namespace plz {

// For one attempt and one thread.
class MachineWait {
 public:
  // `patience`: how long in all, from the first failure on.
  MachineWait(AttemptId id, Connections& connections, const Clock& clock, std::chrono::milliseconds patience)
      : id_(id), connections_(connections), clock_(clock), patience_(patience), backoff_(connections.backoff()) {}

  // After this failure: true, after a pause, where another try may succeed. False: it may not, or not any more, or
  // `stop` asks for the end.
  bool may_try_again(const Error& error, const std::stop_token& stop);

 private:
  void tell(const Error& error);

  const AttemptId id_;
  Connections& connections_;
  const Clock& clock_;
  const std::chrono::milliseconds patience_;
  Backoff backoff_;
  int tries_ = 0;
  SteadyTime since_;
  std::string told_;
};

}  // namespace plz
