// A PackStore that fails when it is told to: for tests of what comes after a failure.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "store/pack_store.h"

namespace plz {

// Counts every call of the store and of its writers; the n-th, counted from 0, fails with
// `unavailable` and does nothing, as do all after it until the faults are taken away.
class FaultInjectingPackStore final : public PackStore {
 public:
  explicit FaultInjectingPackStore(PackStore& store) : store_(store) {}
  void fail_from(uint64_t operation) {
    operations_ = 0;
    first_failing_ = operation;
  }
  void work_again() { first_failing_ = ~uint64_t{0}; }
  uint64_t operations() const { return operations_; }

  Result<std::unique_ptr<PackWriter>> create(PackId id) override;
  Result<void> read(PackId id, uint64_t offset, void* buffer, size_t size) override;
  Result<uint64_t> size(PackId id) override;
  Result<void> remove(PackId id) override;
  Result<std::vector<PackId>> list() override;
  Result<void> settle(PackId id) override;
  Result<std::vector<PackId>> unsettled() override;

 private:
  class Writer;
  Result<void> count();

  PackStore& store_;
  std::atomic<uint64_t> operations_ = 0;
  std::atomic<uint64_t> first_failing_ = ~uint64_t{0};
};

}  // namespace plz
