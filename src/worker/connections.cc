#include "worker/connections.h"

namespace plz {
namespace {

constexpr size_t kIdleConnections = 8;

}  // namespace

std::unique_ptr<WorkerApi> Connections::take() {
  std::lock_guard lock(mutex_);
  if (cancelled_) return nullptr;
  std::unique_ptr<WorkerApi> api;
  if (idle_.empty()) {
    api = controller_.connect();
  } else {
    api = std::move(idle_.back());
    idle_.pop_back();
  }
  busy_.insert(api.get());
  return api;
}

void Connections::put_back(std::unique_ptr<WorkerApi> api) {
  std::lock_guard lock(mutex_);
  busy_.erase(api.get());
  if (idle_.size() < kIdleConnections && !cancelled_) idle_.push_back(std::move(api));
}

void Connections::cancel_all() {
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  idle_.clear();
  for (WorkerApi* api : busy_) api->cancel();
}

}  // namespace plz
