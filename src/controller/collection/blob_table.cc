#include "controller/collection/blob_table.h"

#include <algorithm>
#include <unordered_map>

#include "store/pack_format.h"

namespace plz {

Result<BlobTable> BlobTable::load(BlobRecords& records) {
  BlobTable table;
  PLZ_ASSIGN(table.packs_, records.packs());
  std::unordered_map<Uuid, uint32_t> numbers;
  for (const Uuid& pack : table.packs_) numbers.emplace(pack, static_cast<uint32_t>(numbers.size()));
  PLZ_ASSIGN(const auto totals, records.totals());
  table.blobs_.reserve(totals.blobs + totals.blobs / 64);
  PLZ_TRY(records.each([&](const BlobRecord& record) {
    // A pack that came in between is none of this collection's business.
    if (auto number = numbers.find(record.pack); number != numbers.end())
      table.blobs_.push_back({record.digest, number->second, static_cast<uint32_t>(record.stored_bytes)});
    return true;
  }));
  table.kept_.resize(table.blobs_.size());
  table.sort_by_pack();
  return table;
}

void BlobTable::sort_by_pack() {
  begins_.assign(packs_.size() + 1, 0);
  for (const Blob& blob : blobs_) ++begins_[blob.pack + 1];
  for (size_t pack = 0; pack < packs_.size(); ++pack) begins_[pack + 1] += begins_[pack];
  std::vector<uint32_t> next(begins_.begin(), begins_.end());
  by_pack_.resize(blobs_.size());
  for (uint32_t i = 0; i < blobs_.size(); ++i) by_pack_[next[blobs_[i].pack]++] = i;
}

std::optional<uint32_t> BlobTable::find(const Digest& digest) const {
  auto found = std::lower_bound(blobs_.begin(), blobs_.end(), digest,
                                [](const Blob& blob, const Digest& wanted) { return blob.digest < wanted; });
  if (found == blobs_.end() || found->digest != digest) return std::nullopt;
  return static_cast<uint32_t>(found - blobs_.begin());
}

uint64_t BlobTable::bytes_in_pack(uint32_t blob) const {
  return kPackRecordHeaderBytes + uint64_t{blobs_[blob].stored_bytes};
}

std::span<const uint32_t> BlobTable::blobs_of(size_t pack) const {
  return std::span(by_pack_).subspan(begins_[pack], begins_[pack + 1] - begins_[pack]);
}

}  // namespace plz
