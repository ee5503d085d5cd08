// Where blobs lie, and the leases that keep them there. Garbage collection removes a record only
// while no lease is alive, in the same transaction that checks it: what a capture was told to be
// present stays until its lease ends.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "model/digest.h"
#include "model/ids.h"

namespace plz {

// One row: store/pack_store.h's BlobLocation, whose meaning it has.
struct BlobRecord {
  Digest digest;
  Uuid pack;
  uint64_t offset = 0;
  uint64_t stored_bytes = 0;
  uint64_t bytes = 0;
  uint64_t checksum = 0;
  uint8_t codec = 0;
  bool operator==(const BlobRecord&) const = default;
};

// Thread-safe.
class BlobRecords {
 public:
  virtual ~BlobRecords() = default;
  // Durable. A digest that has a record keeps it.
  virtual Result<void> add_pack(const Uuid& pack, uint64_t pack_bytes, std::span<const BlobRecord> blobs) = 0;
  // One element a digest, nullopt where there is none. 100,000 in one call are fine.
  virtual Result<std::vector<std::optional<BlobRecord>>> find(std::span<const Digest> digests) = 0;
  virtual Result<std::vector<Uuid>> packs() = 0;
  struct Totals {
    uint64_t blobs = 0, bytes = 0, stored_bytes = 0, packs = 0;
  };
  virtual Result<Totals> totals() = 0;
  // Opens or renews.
  virtual Result<void> hold_lease(LeaseId lease, Timestamp expires) = 0;
  virtual Result<void> end_lease(LeaseId lease) = 0;
  // False, and nothing is removed, while a lease is alive at `now`.
  virtual Result<bool> remove_unleased(std::span<const Digest> digests, Timestamp now) = 0;
};

}  // namespace plz
