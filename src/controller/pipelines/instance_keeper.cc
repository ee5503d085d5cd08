#include "controller/pipelines/instance_keeper.h"

#include <algorithm>

#include "base/log.h"

namespace plz {

using std::chrono::milliseconds;

InstanceKeeper::InstanceKeeper(Provider& provider, ExecutionService& executions, WorkerService& workers,
                               const Clock& clock, std::string version)
    : provider_(provider), executions_(executions), workers_(workers), clock_(clock), version_(std::move(version)) {}

InstanceKeeper::~InstanceKeeper() { stop(); }

void InstanceKeeper::start(milliseconds period) {
  run_once();
  thread_ = std::jthread([this, period](std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (!tick_.wait_for(lock, stop, period, [&] { return stop.stop_requested(); })) run_once();
  });
}

void InstanceKeeper::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void InstanceKeeper::run_once() {
  workers_.lose_abandoned();
  if (clock_.steady() < next_try_) return;
  end_outdated_workers();
  std::vector<Instance> present = workers_.instances();
  for (const auto& instance : present) {
    if (instance.provider != provider_.name()) continue;
    auto health = provider_.inspect(instance.id);
    if (!health) log_warning("instance {}: {}", instance.id.to_string(), health.error().message);
    else if (*health == InstanceHealth::gone) revive(instance);
    else if (instance.state != InstanceState::starting) note_obstacle("");
  }
  if (present.empty() && (wanted_at_start_ || executions_.unfinished() > 0)) get_one();
  wanted_at_start_ = false;
}

// After an upgrade the next look finds the worker gone, and starts the new one.
void InstanceKeeper::end_outdated_workers() {
  for (const auto& instance : workers_.take_outdated(version_)) {
    if (instance.provider != provider_.name()) continue;
    log_info("the worker of instance {} is of another version: another takes its jobs up", instance.id.to_string());
    if (auto ended = provider_.end_worker(instance.id); !ended)
      log_warning("instance {}: {}", instance.id.to_string(), ended.error().message);
  }
}

void InstanceKeeper::revive(const Instance& instance) {
  // The worker's process is gone, its machine is not: a new process takes up the jobs it left.
  log_info("starting the worker of instance {}", instance.id.to_string());
  auto created = provider_.create(instance.id, {});
  back_off_ = created ? milliseconds(0) : std::min(back_off_ * 2 + milliseconds(250), milliseconds(30'000));
  next_try_ = clock_.steady() + back_off_;
  if (created) return;
  log_error("instance {}: {}", instance.id.to_string(), created.error().message);
  const std::string& hint = created.error().hint;
  note_obstacle(created.error().message + (hint.empty() ? "" : "; " + hint));
}

// Stays until a worker has dialled in: one that could be started may not live.
void InstanceKeeper::note_obstacle(std::string words) {
  if (words == obstacle_) return;
  obstacle_ = std::move(words);
  if (tell_obstacle_) tell_obstacle_(obstacle_);
}

void InstanceKeeper::get_one() {
  Instance instance;
  instance.id = InstanceId::make(clock_);
  instance.provider = provider_.name();
  instance.created = clock_.now();
  if (auto offers = provider_.offers(); offers && !offers->empty()) instance.capacity = offers->front().capacity;
  if (auto expected = workers_.expect(instance); !expected) {
    log_error("an instance cannot be recorded: {}", expected.error().message);
    return;
  }
  revive(instance);
}

}  // namespace plz
