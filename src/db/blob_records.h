// Where blobs lie, and the leases that keep them there. Garbage collection removes a record only
// while no lease is alive and no execution has come to refer to more than it knows, in the same
// transaction that checks it: what a capture was told to be present stays until its lease ends, and
// what it submitted meanwhile stays for good.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
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
  bool damaged = false;  // is not stored with it: see mark_damaged()
  bool operator==(const BlobRecord&) const = default;
};

// What came of an attempt to remove records.
enum class BlobRemoval {
  removed,
  leased,    // a capture is under way
  outdated,  // there are references that the caller may not know of
};

// Thread-safe.
class BlobRecords {
 public:
  virtual ~BlobRecords() = default;
  // Durable. A digest that has a record keeps it, unless it is marked as damaged: then it gets this one, without a
  // mark.
  virtual Result<void> add_pack(const Uuid& pack, uint64_t pack_bytes, std::span<const BlobRecord> blobs) = 0;
  // One element a digest, nullopt where there is none. 100,000 in one call are fine.
  virtual Result<std::vector<std::optional<BlobRecord>>> find(std::span<const Digest> digests) = 0;
  // What was read is not what was stored, in words. Durable.
  virtual Result<void> mark_damaged(std::span<const Digest> digests, const std::string& fault) = 0;
  // It was read, and is what it should be.
  virtual Result<void> mark_sound(const Digest& digest) = 0;
  // Those that are marked and have a record.
  virtual Result<std::vector<std::pair<Digest, std::string>>> damaged() = 0;
  // In the order in which they were first recorded: what a blob refers to lies in the same pack, or in
  // one before it.
  virtual Result<std::vector<Uuid>> packs() = 0;
  // Those in packs(), with how long they are at least.
  virtual Result<std::vector<std::pair<Uuid, uint64_t>>> pack_sizes() = 0;
  // What is in packs() no more, and what never came to be because each of its blobs had a record: nobody but this
  // database knew them, and their files may go. Each stays here until it is forgotten.
  virtual Result<std::vector<Uuid>> dropped_packs() = 0;
  virtual Result<void> forget_dropped_pack(const Uuid& pack) = 0;
  struct Totals {
    uint64_t blobs = 0, bytes = 0, stored_bytes = 0, packs = 0;
  };
  virtual Result<Totals> totals() = 0;
  // Opens or renews.
  virtual Result<void> hold_lease(LeaseId lease, Timestamp expires) = 0;
  virtual Result<void> end_lease(LeaseId lease) = 0;
  // When the last of those alive at `now` will have expired; nullopt: none is alive.
  virtual Result<std::optional<Timestamp>> leased_until(Timestamp now) = 0;

  // For collection. Every record, by digest, as of one moment, until `visit` returns false. It must not
  // take long over one.
  virtual Result<void> each(const std::function<bool(const BlobRecord&)>& visit) = 0;
  // Goes up with whatever may refer to a blob: every execution that is created, every output that one gets,
  // and every pack.
  virtual Result<uint64_t> reference_changes() = 0;
  // Durable. All of them or, while a lease is alive at `now` or where reference_changes() is another by
  // now, none.
  virtual Result<BlobRemoval> remove_unleased(std::span<const Digest> digests, Timestamp now,
                                              uint64_t reference_changes) = 0;
  // Durable. `to` takes the place of `from`, also in packs(): `blobs` say where in it those blobs lie that
  // lay in `from`. conflict, and nothing is changed, unless they are exactly those.
  virtual Result<void> replace_pack(const Uuid& from, const Uuid& to, uint64_t pack_bytes,
                                    std::span<const BlobRecord> blobs) = 0;
};

}  // namespace plz
