#pragma once

#include "db/blob_records.h"
#include "db/memory/memory_records.h"

namespace plz {

class MemoryBlobs final : public BlobRecords {
 public:
  explicit MemoryBlobs(MemoryRecords& records) : records_(records) {}

  Result<void> add_pack(const Uuid& pack, uint64_t pack_bytes, std::span<const BlobRecord> blobs) override;
  Result<std::vector<std::optional<BlobRecord>>> find(std::span<const Digest> digests) override;
  Result<void> mark_damaged(std::span<const Digest> digests, const std::string& fault) override;
  Result<void> mark_sound(const Digest& digest) override;
  Result<std::vector<std::pair<Digest, std::string>>> damaged() override;
  Result<std::vector<Uuid>> packs() override;
  Result<std::vector<std::pair<Uuid, uint64_t>>> pack_sizes() override;
  Result<std::vector<Uuid>> dropped_packs() override;
  Result<void> forget_dropped_pack(const Uuid& pack) override;
  Result<Totals> totals() override;
  Result<void> hold_lease(LeaseId lease, Timestamp expires) override;
  Result<void> end_lease(LeaseId lease) override;
  Result<std::optional<Timestamp>> leased_until(Timestamp now) override;
  Result<void> each(const std::function<bool(const BlobRecord&)>& visit) override;
  Result<uint64_t> reference_changes() override;
  Result<BlobRemoval> remove_unleased(std::span<const Digest> digests, Timestamp now,
                                      uint64_t reference_changes) override;
  Result<void> replace_pack(const Uuid& from, const Uuid& to, uint64_t pack_bytes,
                            std::span<const BlobRecord> blobs) override;

 private:
  MemoryRecords& records_;
};

}  // namespace plz
