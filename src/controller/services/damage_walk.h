// Looks below trees and lists of chunks for what is marked as damaged.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "db/blob_records.h"
#include "store/pack_store.h"

namespace plz {

// Trees and lists of chunks with nothing damaged below them: what was walked once is not walked again, until something
// else is damaged. Thread-safe.
class SoundTrees {
 public:
  // What is marked now, by digest. Returns the time that it is, for a walk that begins after that.
  uint64_t keep_up_with(const std::vector<std::pair<Digest, std::string>>& damaged);
  bool contains(const Digest& digest) const;
  // Without effect where there was more damage since `time`.
  void add(uint64_t time, std::unordered_set<Digest>&& found);

 private:
  mutable std::mutex mutex_;
  uint64_t time_ = 0;
  std::vector<Digest> damaged_;  // sorted
  std::unordered_set<Digest> sound_;
};

// For one question, while something is damaged: reads every blob that may be a tree. Not thread-safe.
class DamageWalk {
 public:
  DamageWalk(BlobRecords& records, PackStore& packs, SoundTrees& sound, uint64_t time)
      : records_(records), packs_(packs), sound_(sound), time_(time) {}

  // Also where a tree on the way cannot be read. What lies below several is walked once. A file's bytes count as they
  // are marked.
  Result<bool> reaches_damage(const BlobRecord& blob);
  // Those that are damaged or missing, from this tree on, itself included; each is read.
  Result<std::vector<Digest>> damage_below(const Digest& tree);

 private:
  struct Name {
    Digest digest;
    bool has_names;  // it is a tree or a list of chunks
  };
  // What a tree or a list of chunks names; nothing for other blobs; nullopt: it cannot be read.
  std::optional<std::vector<Name>> names(const BlobRecord& blob);

  BlobRecords& records_;
  PackStore& packs_;
  SoundTrees& sound_;
  const uint64_t time_;
  std::string stored_, bytes_;
};

}  // namespace plz
