#include "controller/deferred_answer.h"

#include <map>
#include <mutex>
#include <vector>

namespace plz {

struct DeadlineTimer::State {
  std::mutex mutex;
  std::multimap<SteadyTime, std::function<void()>> wakes;
};

DeadlineTimer::DeadlineTimer() : state_(std::make_unique<State>()) {}
DeadlineTimer::~DeadlineTimer() = default;

void DeadlineTimer::add(SteadyTime deadline, std::function<void()> wake) {
  std::lock_guard lock(state_->mutex);
  state_->wakes.emplace(deadline, std::move(wake));
}

void DeadlineTimer::tick(SteadyTime now) {
  std::vector<std::function<void()>> due;
  {
    std::lock_guard lock(state_->mutex);
    auto end = state_->wakes.upper_bound(now);
    for (auto it = state_->wakes.begin(); it != end; ++it) due.push_back(std::move(it->second));
    state_->wakes.erase(state_->wakes.begin(), end);
  }
  for (const auto& wake : due) wake();
}

namespace {

class DeferredProducer final : public Producer {
 public:
  DeferredProducer(DeferredAnswer answer, const Clock& clock, DeadlineTimer& timer)
      : answer_(std::move(answer)), clock_(clock), timer_(timer) {}

  void on_wake(std::function<void()> wake) override {
    subscription_ = answer_.subscribe(wake);
    timer_.add(answer_.deadline, std::move(wake));
  }

  State produce(std::string& piece, size_t) override {
    if (answered_) return State::end;
    auto text = answer_.attempt();
    if (!text && clock_.steady() >= answer_.deadline) text = answer_.last_resort();
    if (!text) return State::waiting;
    answered_ = true;
    piece = std::move(*text);
    return State::end;
  }

 private:
  DeferredAnswer answer_;
  const Clock& clock_;
  DeadlineTimer& timer_;
  std::shared_ptr<void> subscription_;
  bool answered_ = false;
};

}  // namespace

std::shared_ptr<StreamSource> defer(DeferredAnswer answer, TaskPool& pool, const Clock& clock, DeadlineTimer& timer) {
  return pump(pool, std::make_unique<DeferredProducer>(std::move(answer), clock, timer));
}

}  // namespace plz
