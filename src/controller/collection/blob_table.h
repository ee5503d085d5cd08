// Every blob that the store had when a collection began, and what the collection has found out about it.
// About 45 bytes a blob.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "db/blob_records.h"

namespace plz {

// Not thread-safe.
class BlobTable {
 public:
  static Result<BlobTable> load(BlobRecords& records);

  size_t size() const { return blobs_.size(); }
  std::optional<uint32_t> find(const Digest& digest) const;
  const Digest& digest(uint32_t blob) const { return blobs_[blob].digest; }
  // How much of its pack's file the blob and its header take.
  uint64_t bytes_in_pack(uint32_t blob) const;

  void keep(uint32_t blob) { kept_[blob] = true; }
  bool is_kept(uint32_t blob) const { return kept_[blob]; }

  // In the order of their recording, by number: what a blob refers to lies in a pack of the same or a lower
  // number.
  size_t packs() const { return packs_.size(); }
  const Uuid& pack_id(size_t pack) const { return packs_[pack]; }
  std::span<const uint32_t> blobs_of(size_t pack) const;

 private:
  struct Blob {
    Digest digest;
    uint32_t pack = 0;
    uint32_t stored_bytes = 0;  // 64 MiB at most
  };
  void sort_by_pack();

  std::vector<Blob> blobs_;  // by digest
  std::vector<bool> kept_;
  std::vector<Uuid> packs_;
  std::vector<uint32_t> by_pack_;
  std::vector<uint32_t> begins_;  // of each pack in by_pack_, and the end
};

}  // namespace plz
