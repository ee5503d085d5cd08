#include "store/memory/memory_pack_store.h"

#include <cstring>

namespace plz {

class MemoryPackStore::Writer final : public PackWriter {
 public:
  Writer(MemoryPackStore& store, PackId id) : store_(store), id_(id) {}
  Result<void> append(std::string_view bytes) override {
    bytes_ += bytes;
    return {};
  }
  Result<void> commit() override {
    std::lock_guard lock(store_.mutex_);
    store_.packs_[id_] = std::move(bytes_);
    store_.unsettled_.insert(id_);
    return {};
  }

 private:
  MemoryPackStore& store_;
  PackId id_;
  std::string bytes_;
};

Result<std::unique_ptr<PackWriter>> MemoryPackStore::create(PackId id) {
  std::lock_guard lock(mutex_);
  if (packs_.contains(id)) return fail(ErrorCode::conflict, "the pack " + id.to_string() + " exists already");
  return std::make_unique<Writer>(*this, id);
}

Result<void> MemoryPackStore::read(PackId id, uint64_t offset, void* buffer, size_t size) {
  std::lock_guard lock(mutex_);
  auto found = packs_.find(id);
  if (found == packs_.end()) return fail(no_such_pack(id));
  const std::string& pack = found->second;
  if (offset > pack.size() || size > pack.size() - offset)
    return fail(ErrorCode::damaged, "the pack " + id.to_string() + " is shorter than it should be");
  memcpy(buffer, pack.data() + offset, size);
  return {};
}

Result<uint64_t> MemoryPackStore::size(PackId id) {
  std::lock_guard lock(mutex_);
  auto found = packs_.find(id);
  if (found == packs_.end()) return fail(no_such_pack(id));
  return found->second.size();
}

Result<void> MemoryPackStore::remove(PackId id) {
  std::lock_guard lock(mutex_);
  packs_.erase(id);
  unsettled_.erase(id);
  return {};
}

Result<std::vector<PackId>> MemoryPackStore::list() {
  std::lock_guard lock(mutex_);
  std::vector<PackId> ids;
  for (const auto& [id, pack] : packs_) ids.push_back(id);
  return ids;
}

Result<void> MemoryPackStore::settle(PackId id) {
  std::lock_guard lock(mutex_);
  if (!packs_.contains(id)) return fail(no_such_pack(id));
  unsettled_.erase(id);
  return {};
}

Result<std::vector<PackId>> MemoryPackStore::unsettled() {
  std::lock_guard lock(mutex_);
  return std::vector<PackId>(unsettled_.begin(), unsettled_.end());
}

}  // namespace plz
