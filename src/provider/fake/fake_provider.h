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
  Result<void> terminate(InstanceId id) override {
    std::lock_guard lock(mutex_);
    alive_.erase(id);
    return {};
  }
  std::set<InstanceId> alive() {
    std::lock_guard lock(mutex_);
    return alive_;
  }

 private:
  Capacity capacity_;
  std::mutex mutex_;
  std::set<InstanceId> alive_;
};

}  // namespace plz
