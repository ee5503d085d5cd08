// A provider of instances that do not exist: for tests of what asks for them.
#pragma once

#include <mutex>
#include <set>

#include "provider/provider.h"

namespace plz {

class FakeProvider final : public Provider {
 public:
  explicit FakeProvider(Capacity capacity) : capacity_(std::move(capacity)) {}
  std::string name() const override { return "fake"; }
  Result<std::vector<Offer>> offers() override { return std::vector<Offer>{Offer{"", capacity_}}; }
  Result<void> create(InstanceId id, const MarketSpec&) override {
    std::lock_guard lock(mutex_);
    alive_.insert(id);
    return {};
  }
  Result<InstanceHealth> inspect(InstanceId id) override {
    std::lock_guard lock(mutex_);
    return alive_.contains(id) ? InstanceHealth::alive : InstanceHealth::gone;
  }
  Result<void> end_worker(InstanceId id) override {
    std::lock_guard lock(mutex_);
    alive_.erase(id);
    ended_workers_.push_back(id);
    return {};
  }
  Result<void> terminate(InstanceId id) override {
    std::lock_guard lock(mutex_);
    alive_.erase(id);
    return {};
  }
  std::vector<InstanceId> ended_workers() {
    std::lock_guard lock(mutex_);
    return ended_workers_;
  }
  std::set<InstanceId> alive() {
    std::lock_guard lock(mutex_);
    return alive_;
  }

 private:
  Capacity capacity_;
  std::mutex mutex_;
  std::set<InstanceId> alive_;
  std::vector<InstanceId> ended_workers_;
};

}  // namespace plz
