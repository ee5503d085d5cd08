#include "db/memory/memory_blobs.h"

#include <set>

namespace plz {
namespace {

std::set<Uuid> packs_of(const MemoryRecords& records) {
  std::set<Uuid> packs;
  for (const auto& [digest, blob] : records.blobs) packs.insert(blob.pack);
  return packs;
}

}  // namespace

Result<void> MemoryBlobs::add_pack(const Uuid& pack, uint64_t, std::span<const BlobRecord> blobs) {
  std::lock_guard lock(records_.mutex);
  for (BlobRecord blob : blobs) {
    blob.pack = pack;
    records_.blobs.emplace(blob.digest, blob);
  }
  return {};
}

Result<std::vector<std::optional<BlobRecord>>> MemoryBlobs::find(std::span<const Digest> digests) {
  std::lock_guard lock(records_.mutex);
  std::vector<std::optional<BlobRecord>> found(digests.size());
  for (size_t i = 0; i < digests.size(); ++i) {
    auto it = records_.blobs.find(digests[i]);
    if (it != records_.blobs.end()) found[i] = it->second;
  }
  return found;
}

Result<std::vector<Uuid>> MemoryBlobs::packs() {
  std::lock_guard lock(records_.mutex);
  std::set<Uuid> packs = packs_of(records_);
  return std::vector<Uuid>(packs.begin(), packs.end());
}

Result<BlobRecords::Totals> MemoryBlobs::totals() {
  std::lock_guard lock(records_.mutex);
  Totals totals{records_.blobs.size(), 0, 0, packs_of(records_).size()};
  for (const auto& [digest, blob] : records_.blobs) {
    totals.bytes += blob.bytes;
    totals.stored_bytes += blob.stored_bytes;
  }
  return totals;
}

Result<void> MemoryBlobs::hold_lease(LeaseId lease, Timestamp expires) {
  std::lock_guard lock(records_.mutex);
  records_.leases[lease] = expires;
  return {};
}

Result<void> MemoryBlobs::end_lease(LeaseId lease) {
  std::lock_guard lock(records_.mutex);
  records_.leases.erase(lease);
  return {};
}

Result<bool> MemoryBlobs::remove_unleased(std::span<const Digest> digests, Timestamp now) {
  std::lock_guard lock(records_.mutex);
  std::erase_if(records_.leases, [&](const auto& lease) { return lease.second <= now; });
  if (!records_.leases.empty()) return false;
  for (const Digest& digest : digests) records_.blobs.erase(digest);
  return true;
}

}  // namespace plz
