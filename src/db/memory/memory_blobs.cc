#include "db/memory/memory_blobs.h"

#include <algorithm>

#include "db/execution_rules.h"

namespace plz {
namespace {

void forget_empty_packs(MemoryRecords& records) {
  std::map<Uuid, uint64_t> left;
  for (const auto& [digest, blob] : records.blobs) left[blob.pack] = records.packs[blob.pack];
  for (const auto& [pack, number] : records.packs)
    if (!left.contains(pack)) records.dropped_packs.insert(pack);
  records.packs = std::move(left);
}

bool any_lease(MemoryRecords& records, Timestamp now) {
  std::erase_if(records.leases, [&](const auto& lease) { return lease.second <= now; });
  return !records.leases.empty();
}

}  // namespace

Result<void> MemoryBlobs::add_pack(const Uuid& pack, uint64_t, std::span<const BlobRecord> blobs) {
  std::lock_guard lock(records_.mutex);
  if (!records_.packs.count(pack)) records_.packs[pack] = ++records_.last_pack;
  for (BlobRecord blob : blobs) {
    blob.pack = pack;
    if (records_.damaged_blobs.erase(blob.digest) > 0) records_.blobs.erase(blob.digest);
    records_.blobs.emplace(blob.digest, blob);
  }
  forget_empty_packs(records_);
  ++records_.reference_changes;
  return {};
}

Result<std::vector<std::optional<BlobRecord>>> MemoryBlobs::find(std::span<const Digest> digests) {
  std::lock_guard lock(records_.mutex);
  std::vector<std::optional<BlobRecord>> found(digests.size());
  for (size_t i = 0; i < digests.size(); ++i) {
    auto it = records_.blobs.find(digests[i]);
    if (it == records_.blobs.end()) continue;
    found[i] = it->second;
    found[i]->damaged = records_.damaged_blobs.contains(digests[i]);
  }
  return found;
}

Result<void> MemoryBlobs::mark_damaged(std::span<const Digest> digests, const std::string& fault) {
  std::lock_guard lock(records_.mutex);
  for (const Digest& digest : digests)
    if (records_.blobs.contains(digest)) records_.damaged_blobs[digest] = fault;
  return {};
}

Result<void> MemoryBlobs::mark_sound(const Digest& digest) {
  std::lock_guard lock(records_.mutex);
  records_.damaged_blobs.erase(digest);
  return {};
}

Result<std::vector<std::pair<Digest, std::string>>> MemoryBlobs::damaged() {
  std::lock_guard lock(records_.mutex);
  return std::vector<std::pair<Digest, std::string>>(records_.damaged_blobs.begin(), records_.damaged_blobs.end());
}

Result<std::vector<Uuid>> MemoryBlobs::packs() {
  std::lock_guard lock(records_.mutex);
  std::vector<std::pair<uint64_t, Uuid>> ordered;
  for (const auto& [pack, number] : records_.packs) ordered.emplace_back(number, pack);
  std::sort(ordered.begin(), ordered.end());
  std::vector<Uuid> packs;
  for (const auto& [number, pack] : ordered) packs.push_back(pack);
  return packs;
}

Result<std::vector<std::pair<Uuid, uint64_t>>> MemoryBlobs::pack_sizes() {
  std::lock_guard lock(records_.mutex);
  std::map<Uuid, uint64_t> sizes;
  for (const auto& [digest, blob] : records_.blobs) {
    uint64_t& size = sizes[blob.pack];
    size = std::max(size, blob.offset + blob.stored_bytes);
  }
  return std::vector<std::pair<Uuid, uint64_t>>(sizes.begin(), sizes.end());
}

Result<BlobRecords::Totals> MemoryBlobs::totals() {
  std::lock_guard lock(records_.mutex);
  Totals totals{records_.blobs.size(), 0, 0, records_.packs.size()};
  for (const auto& [digest, blob] : records_.blobs) {
    totals.bytes += blob.bytes;
    totals.stored_bytes += blob.stored_bytes;
  }
  return totals;
}

Result<std::vector<Uuid>> MemoryBlobs::dropped_packs() {
  std::lock_guard lock(records_.mutex);
  return std::vector<Uuid>(records_.dropped_packs.begin(), records_.dropped_packs.end());
}

Result<void> MemoryBlobs::forget_dropped_pack(const Uuid& pack) {
  std::lock_guard lock(records_.mutex);
  records_.dropped_packs.erase(pack);
  return {};
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

Result<std::optional<Timestamp>> MemoryBlobs::leased_until(Timestamp now) {
  std::lock_guard lock(records_.mutex);
  std::optional<Timestamp> last;
  for (const auto& [lease, expires] : records_.leases)
    if (expires > now) last = std::max(last.value_or(expires), expires);
  return last;
}

Result<void> MemoryBlobs::each(const std::function<bool(const BlobRecord&)>& visit) {
  std::lock_guard lock(records_.mutex);
  for (const auto& [digest, blob] : records_.blobs)
    if (!visit(blob)) break;
  return {};
}

Result<uint64_t> MemoryBlobs::reference_changes() {
  std::lock_guard lock(records_.mutex);
  return records_.reference_changes;
}

Result<BlobRemoval> MemoryBlobs::remove_unleased(std::span<const Digest> digests, Timestamp now,
                                                 uint64_t reference_changes) {
  std::lock_guard lock(records_.mutex);
  if (any_lease(records_, now)) return BlobRemoval::leased;
  if (records_.reference_changes != reference_changes) return BlobRemoval::outdated;
  for (const Digest& digest : digests) {
    records_.blobs.erase(digest);
    records_.damaged_blobs.erase(digest);
  }
  forget_empty_packs(records_);
  return BlobRemoval::removed;
}

Result<void> MemoryBlobs::replace_pack(const Uuid& from, const Uuid& to, uint64_t, std::span<const BlobRecord> blobs) {
  std::lock_guard lock(records_.mutex);
  auto lies_there = [&](const Digest& digest) {
    auto found = records_.blobs.find(digest);
    return found != records_.blobs.end() && found->second.pack == from;
  };
  const auto count = std::count_if(records_.blobs.begin(), records_.blobs.end(),
                                   [&](const auto& each) { return each.second.pack == from; });
  if (blobs.empty() || static_cast<size_t>(count) != blobs.size() || records_.packs.count(to) ||
      !std::all_of(blobs.begin(), blobs.end(), [&](const BlobRecord& blob) { return lies_there(blob.digest); }))
    return fail(not_replaced(from));
  for (const BlobRecord& blob : blobs) {
    BlobRecord& record = records_.blobs[blob.digest] = blob;
    record.pack = to;
  }
  records_.packs[to] = records_.packs[from];
  records_.packs.erase(from);
  records_.dropped_packs.insert(from);
  return {};
}

}  // namespace plz
