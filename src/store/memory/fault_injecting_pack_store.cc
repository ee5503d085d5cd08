#include "store/memory/fault_injecting_pack_store.h"

namespace plz {

class FaultInjectingPackStore::Writer final : public PackWriter {
 public:
  Writer(FaultInjectingPackStore& store, std::unique_ptr<PackWriter> writer)
      : store_(store), writer_(std::move(writer)) {}
  Result<void> append(std::string_view bytes) override {
    PLZ_TRY(store_.count());
    return writer_->append(bytes);
  }
  Result<void> commit() override {
    PLZ_TRY(store_.count());
    return writer_->commit();
  }

 private:
  FaultInjectingPackStore& store_;
  std::unique_ptr<PackWriter> writer_;
};

Result<void> FaultInjectingPackStore::count() {
  if (operations_.fetch_add(1) < first_failing_) return {};
  return fail(ErrorCode::unavailable, "the disk is full (injected)");
}

Result<std::unique_ptr<PackWriter>> FaultInjectingPackStore::create(PackId id) {
  PLZ_TRY(count());
  PLZ_ASSIGN(auto writer, store_.create(id));
  return std::make_unique<Writer>(*this, std::move(writer));
}

Result<void> FaultInjectingPackStore::read(PackId id, uint64_t offset, void* buffer, size_t size) {
  PLZ_TRY(count());
  return store_.read(id, offset, buffer, size);
}

Result<uint64_t> FaultInjectingPackStore::size(PackId id) {
  PLZ_TRY(count());
  return store_.size(id);
}

Result<void> FaultInjectingPackStore::remove(PackId id) {
  PLZ_TRY(count());
  return store_.remove(id);
}

Result<std::vector<PackId>> FaultInjectingPackStore::list() {
  PLZ_TRY(count());
  return store_.list();
}

Result<void> FaultInjectingPackStore::settle(PackId id) {
  PLZ_TRY(count());
  return store_.settle(id);
}

Result<std::vector<PackId>> FaultInjectingPackStore::unsettled() {
  PLZ_TRY(count());
  return store_.unsettled();
}

}  // namespace plz
