// Packs in memory: for tests.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "store/pack_store.h"

namespace plz {

// Writers must not outlive the store.
class MemoryPackStore final : public PackStore {
 public:
  Result<std::unique_ptr<PackWriter>> create(PackId id) override;
  Result<void> read(PackId id, uint64_t offset, void* buffer, size_t size) override;
  Result<uint64_t> size(PackId id) override;
  Result<void> remove(PackId id) override;
  Result<std::vector<PackId>> list() override;
  Result<void> settle(PackId id) override;
  Result<std::vector<PackId>> unsettled() override;

 private:
  class Writer;
  std::mutex mutex_;
  std::map<PackId, std::string> packs_;
  std::set<PackId> unsettled_;
};

}  // namespace plz
