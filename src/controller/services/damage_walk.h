// Looks below trees and lists of chunks for what is marked as damaged.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "db/blob_records.h"
#include "store/pack_store.h"

namespace plz {

// For one question, while something is damaged: reads every blob that may be a tree. Not thread-safe.
class DamageWalk {
 public:
  DamageWalk(BlobRecords& records, PackStore& packs) : records_(records), packs_(packs) {}

  // Also where a tree on the way cannot be read. What lies below several is walked once.
  Result<bool> reaches_damage(const BlobRecord& blob);
  // Those that are damaged or missing, from this tree on, itself included.
  Result<std::vector<Digest>> damage_below(const Digest& tree);

 private:
  // What a tree or a list of chunks names; nothing for other blobs; nullopt: it cannot be read.
  std::optional<std::vector<Digest>> names(const BlobRecord& blob);

  BlobRecords& records_;
  PackStore& packs_;
  std::unordered_set<Digest> sound_;
  std::string stored_, bytes_;
};

}  // namespace plz
