#include "controller/services/damage_walk.h"

#include "store/chunker.h"
#include "store/pack_format.h"
#include "store/tree.h"

namespace plz {

std::optional<std::vector<Digest>> DamageWalk::names(const BlobRecord& blob) {
  stored_.resize(blob.stored_bytes);
  if (!packs_.read(PackId(blob.pack), blob.offset, stored_.data(), stored_.size())) return std::nullopt;
  if (!decode_blob(static_cast<Codec>(blob.codec), stored_, blob.bytes, blob.checksum, bytes_)) return std::nullopt;
  std::vector<Digest> digests;
  if (auto tree = decode_tree(bytes_)) {
    for (const TreeEntry& entry : tree->entries)
      if (entry.kind != EntryKind::symlink) digests.push_back(entry.digest);
  } else if (auto chunks = decode_chunk_list(bytes_)) {
    for (const ChunkReference& chunk : *chunks) digests.push_back(chunk.digest);
  }
  return digests;
}

Result<bool> DamageWalk::reaches_damage(const BlobRecord& blob) {
  if (sound_.contains(blob.digest)) return false;
  std::vector<BlobRecord> pending{blob};
  std::unordered_set<Digest> seen{blob.digest};
  while (!pending.empty()) {
    auto below = names(pending.back());
    pending.pop_back();
    if (!below) return true;
    std::erase_if(*below, [&](const Digest& digest) { return sound_.contains(digest) || !seen.insert(digest).second; });
    PLZ_ASSIGN(auto found, records_.find(*below));
    for (auto& record : found) {
      if (!record || record->damaged) return true;
      pending.push_back(std::move(*record));
    }
  }
  sound_.merge(seen);
  return false;
}

Result<std::vector<Digest>> DamageWalk::damage_below(const Digest& tree) {
  std::vector<Digest> damage, asked{tree};
  std::unordered_set<Digest> seen{tree};
  while (!asked.empty()) {
    PLZ_ASSIGN(auto found, records_.find(asked));
    std::vector<Digest> next;
    for (size_t i = 0; i < found.size(); ++i) {
      auto below = found[i] && !found[i]->damaged ? names(*found[i]) : std::nullopt;
      if (!below) damage.push_back(asked[i]);
      else
        for (const Digest& digest : *below)
          if (!sound_.contains(digest) && seen.insert(digest).second) next.push_back(digest);
    }
    asked = std::move(next);
  }
  if (damage.empty()) sound_.merge(seen);
  return damage;
}

}  // namespace plz
