// Connections to the controller, kept and reused by the threads of all attempts.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <type_traits>
#include <vector>

#include "base/backoff.h"
#include "base/patience.h"
#include "worker/controller_access.h"

namespace plz {

// Thread-safe.
class Connections {
 public:
  Connections(ControllerAccess& controller, const Clock& clock, BackoffSettings backoff)
      : controller_(controller), clock_(clock), backoff_(backoff) {}

  // One call, on a connection of its own for that time. cancelled after cancel_all().
  template <typename Call>
  auto call(Call&& call) -> std::invoke_result_t<Call&, WorkerApi&> {
    std::unique_ptr<WorkerApi> api = take();
    if (!api) return fail(ErrorCode::cancelled, "the worker is ending");
    auto result = call(*api);
    put_back(std::move(api));
    return result;
  }

  // Repeats the call for as long as the controller is away, or until `stop` asks (cancelled).
  template <typename Call>
  auto call_until_answered(const std::stop_token& stop, Call&& once) -> std::invoke_result_t<Call&, WorkerApi&> {
    Backoff backoff = this->backoff();
    for (;;) {
      auto result = call(once);
      if (result || !is_temporary(result.error().code)) return result;
      if (!wait_unless_stopped(stop, backoff.next())) return fail(ErrorCode::cancelled, "the worker is ending");
    }
  }

  Backoff backoff() const { return Backoff(clock_, backoff_); }

  // Ends calls that are under way, and every later one.
  void cancel_all();

 private:
  std::unique_ptr<WorkerApi> take();
  void put_back(std::unique_ptr<WorkerApi> api);

  ControllerAccess& controller_;
  const Clock& clock_;
  const BackoffSettings backoff_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<WorkerApi>> idle_;  // guarded by mutex_, as what follows
  std::set<WorkerApi*> busy_;
  bool cancelled_ = false;
};

}  // namespace plz
