// Removes from the store what a collection has not kept, in two steps:
//
//   records   of dead blobs, newest packs first, so that what refers to a blob goes before it: a tree that
//             has a record has all of its descendants, at every moment
//   bytes     packs without records are removed, those with dead bytes in them are written anew: the new
//             pack is durable, then the records move in one transaction, then the old pack goes
//
// A crash at any moment leaves at worst packs that this database knows to have no records, which the next start
// removes. A pack that it knows nothing of is never touched.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controller/collection/blob_table.h"
#include "controller/collection/marker.h"
#include "controller/collection/reference_watch.h"
#include "controller/services/blob_service.h"
#include "store/pack_store.h"

namespace plz {

struct Swept {
  uint64_t blobs = 0;
  uint64_t bytes = 0;  // by which the packs' files shrank
  uint64_t packs_removed = 0, packs_rewritten = 0;
  std::vector<std::string> damage;  // what was met, in words; it was left as it was
  std::string held_up;              // not empty: captures were under way, and some dead blobs stay
};

struct SweeperParts {
  BlobRecords& records;
  PackStore& packs;
  BlobService& blobs;
  ReferenceWatch& references;  // watching since before the table was made
  const Clock& clock;
};

// Not thread-safe. Everything known at its making is marked.
class Sweeper {
 public:
  Sweeper(SweeperParts parts, BlobTable& table, Marker& marker);

  // What sweep() would do, from this same state.
  Result<Swept> foresee();
  // Waits so long, in all, for captures to end. On an error what was done before stays done, and is in
  // `done`.
  Result<void> sweep(std::chrono::milliseconds patience, const std::stop_token& stop, Swept& done);

 private:
  Result<bool> remove_records(std::chrono::milliseconds patience, const std::stop_token& stop, Swept& done);
  Result<bool> remove_batch(std::vector<uint32_t> batch, SteadyTime deadline, const std::stop_token& stop, Swept& done);
  Result<void> catch_up(const std::stop_token& stop);
  Result<bool> wait_for_captures(SteadyTime deadline, const std::stop_token& stop);
  Result<void> shrink_packs(const std::stop_token& stop, Swept& done);
  Result<void> shrink(size_t pack, Swept& done);
  Result<void> rewrite(PackId from, uint64_t from_bytes, std::vector<BlobRecord> blobs, Swept& done);
  Result<uint64_t> write_pack(PackId id, std::vector<BlobRecord>& blobs);
  Result<void> remove_pack(PackId id, uint64_t bytes, Swept& done);
  Result<void> remove_leftovers(Swept& done);
  Result<std::string> who_holds_up();
  bool keeps(uint32_t blob) const;

  SweeperParts parts_;
  BlobTable& table_;
  Marker& marker_;
  std::set<Uuid> known_packs_;  // whose blobs are in the table, or were marked
};

}  // namespace plz
