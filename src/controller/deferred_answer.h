// A body that comes later: long polls. It holds no thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "controller/pumped_stream.h"

namespace plz {

// Answers with attempt()'s text once it gives one; at the deadline with last_resort()'s. Looks when
// it is started, when woken, and at the deadline (see DeadlineTimer).
struct DeferredAnswer {
  std::function<std::optional<std::string>()> attempt;  // runs on the pool: a short read is fine
  std::function<std::string()> last_resort;
  SteadyTime deadline;
  // Called once with the stream's wake; what it returns is kept as long as the answer lives.
  std::function<std::shared_ptr<void>(std::function<void()> wake)> subscribe;
};

// Wakes the answers whose deadline has come. tick() is called a few times a second by whoever owns it.
class DeadlineTimer {
 public:
  DeadlineTimer();
  ~DeadlineTimer();
  void add(SteadyTime deadline, std::function<void()> wake);
  void tick(SteadyTime now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::shared_ptr<StreamSource> defer(DeferredAnswer answer, TaskPool& pool, const Clock& clock, DeadlineTimer& timer);

}  // namespace plz
