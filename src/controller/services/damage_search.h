// Where one blob is found to be damaged, others near it may be, too: all are looked for at once, so that the next
// capture heals all.
#pragma once

#include <map>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "db/blob_records.h"
#include "store/pack_store.h"

namespace plz {

// For one search. Not thread-safe.
class DamageSearch {
 public:
  DamageSearch(BlobRecords& records, PackStore& packs) : records_(records), packs_(packs) {}

  // Reads these blobs, and all that lie in a pack where one of them is damaged, and marks those that are. What lies
  // beyond so many bytes is found when somebody reads it.
  Result<void> mark_all(std::span<const BlobRecord> blobs);

 private:
  void look_at(const BlobRecord& blob);
  // "" unless it is damaged; also where that cannot be told just now.
  std::string fault_of(const BlobRecord& blob);
  const Result<uint64_t>& size_of(const Uuid& pack);

  BlobRecords& records_;
  PackStore& packs_;
  std::map<Uuid, Result<uint64_t>> sizes_;
  std::unordered_set<Digest> seen_;
  std::unordered_set<Uuid> damaged_packs_;
  std::map<std::string, std::vector<Digest>> damaged_;  // by what is wrong
  std::string stored_;
  uint64_t read_bytes_ = 0;
};

}  // namespace plz
