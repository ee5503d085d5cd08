#include "controller/services/damage_walk.h"

#include <algorithm>

#include "store/chunker.h"
#include "store/pack_format.h"
#include "store/tree.h"

namespace plz {
namespace {

constexpr size_t kMostSoundTrees = 1'000'000;

}  // namespace

uint64_t SoundTrees::keep_up_with(const std::vector<std::pair<Digest, std::string>>& damaged) {
  std::vector<Digest> now;
  now.reserve(damaged.size());
  for (const auto& [digest, fault] : damaged) now.push_back(digest);
  std::sort(now.begin(), now.end());
  std::lock_guard lock(mutex_);
  if (!std::includes(damaged_.begin(), damaged_.end(), now.begin(), now.end())) {
    sound_.clear();
    ++time_;
  }
  damaged_ = std::move(now);
  return time_;
}

bool SoundTrees::contains(const Digest& digest) const {
  std::lock_guard lock(mutex_);
  return sound_.contains(digest);
}

void SoundTrees::add(uint64_t time, std::unordered_set<Digest>&& found) {
  std::lock_guard lock(mutex_);
  if (time != time_) return;
  if (sound_.size() > kMostSoundTrees) sound_.clear();
  sound_.merge(found);
}

std::optional<std::vector<DamageWalk::Name>> DamageWalk::names(const BlobRecord& blob) {
  stored_.resize(blob.stored_bytes);
  if (!packs_.read(PackId(blob.pack), blob.offset, stored_.data(), stored_.size())) return std::nullopt;
  if (!decode_blob(static_cast<Codec>(blob.codec), stored_, blob.bytes, blob.checksum, bytes_)) return std::nullopt;
  std::vector<Name> names;
  if (auto tree = decode_tree(bytes_)) {
    for (const TreeEntry& entry : tree->entries)
      if (entry.kind != EntryKind::symlink) names.push_back({entry.digest, entry.kind != EntryKind::file});
  } else if (auto chunks = decode_chunk_list(bytes_)) {
    for (const ChunkReference& chunk : *chunks) names.push_back({chunk.digest, false});
  }
  return names;
}

Result<bool> DamageWalk::reaches_damage(const BlobRecord& blob) {
  if (sound_.contains(blob.digest)) return false;
  std::vector<BlobRecord> pending{blob};
  std::unordered_set<Digest> trees{blob.digest}, files;
  while (!pending.empty()) {
    auto below = names(pending.back());
    pending.pop_back();
    if (!below) return true;
    std::erase_if(*below, [&](const Name& name) {
      return name.has_names ? sound_.contains(name.digest) || !trees.insert(name.digest).second
                            : !files.insert(name.digest).second;
    });
    std::vector<Digest> digests;
    for (const Name& name : *below) digests.push_back(name.digest);
    PLZ_ASSIGN(auto found, records_.find(digests));
    for (size_t i = 0; i < found.size(); ++i) {
      if (!found[i] || found[i]->damaged) return true;
      if ((*below)[i].has_names) pending.push_back(std::move(*found[i]));
    }
  }
  sound_.add(time_, std::move(trees));
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
        for (const Name& name : *below)
          if (!sound_.contains(name.digest) && seen.insert(name.digest).second) next.push_back(name.digest);
    }
    asked = std::move(next);
  }
  if (damage.empty()) sound_.add(time_, std::move(seen));
  return damage;
}

}  // namespace plz
