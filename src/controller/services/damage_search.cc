#include "controller/services/damage_search.h"

#include <algorithm>
#include <tuple>

#include <fmt/core.h>

#include "base/patience.h"
#include "store/pack_format.h"

namespace plz {
namespace {

constexpr uint64_t kMostBytesSearched = 1u << 30;

}  // namespace

Result<void> DamageSearch::mark_all(std::span<const BlobRecord> blobs) {
  for (const BlobRecord& blob : blobs) look_at(blob);
  std::vector<BlobRecord> neighbours;
  PLZ_TRY(records_.each([&](const BlobRecord& blob) {
    if (damaged_packs_.contains(blob.pack)) neighbours.push_back(blob);
    return true;
  }));
  std::sort(neighbours.begin(), neighbours.end(),
            [](const auto& a, const auto& b) { return std::tie(a.pack, a.offset) < std::tie(b.pack, b.offset); });
  for (const BlobRecord& blob : neighbours) look_at(blob);
  for (const auto& [fault, digests] : damaged_) PLZ_TRY(records_.mark_damaged(digests, fault));
  return {};
}

void DamageSearch::look_at(const BlobRecord& blob) {
  if (!seen_.insert(blob.digest).second) return;
  const std::string fault = fault_of(blob);
  if (fault.empty()) return;
  damaged_packs_.insert(blob.pack);
  damaged_[fault].push_back(blob.digest);
}

std::string DamageSearch::fault_of(const BlobRecord& blob) {
  const PackId pack(blob.pack);
  const Result<uint64_t>& size = size_of(blob.pack);
  if (!size) return is_temporary(size.error().code) ? "" : size.error().message;
  if (blob.offset + blob.stored_bytes > *size) return fmt::format("the pack {} is cut short", pack.to_string());
  if (read_bytes_ > kMostBytesSearched) return "";
  read_bytes_ += blob.stored_bytes;
  stored_.resize(blob.stored_bytes);
  auto read = packs_.read(pack, blob.offset, stored_.data(), stored_.size());
  if (!read) return is_temporary(read.error().code) ? "" : read.error().message;
  if (checksum_of_stored(stored_) == blob.checksum) return "";
  return fmt::format("its bytes in the pack {} are not what was stored", pack.to_string());
}

const Result<uint64_t>& DamageSearch::size_of(const Uuid& pack) {
  auto known = sizes_.find(pack);
  if (known == sizes_.end()) known = sizes_.emplace(pack, packs_.size(PackId(pack))).first;
  return known->second;
}

}  // namespace plz
