// Blobs in packs: which are missing, taking packs in, giving blobs out.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controller/pumped_stream.h"
#include "controller/services/damage_walk.h"
#include "controller/services/pack_watch.h"
#include "db/blob_records.h"
#include "net/http_types.h"
#include "store/pack_store.h"

namespace plz {

// Thread-safe.
class BlobService {
 public:
  BlobService(BlobRecords& records, PackStore& packs, const Clock& clock);

  // Removes what a crash left behind, and settles what it left unsettled. Call once, before anything else, and only
  // where the database is known to be the packs' own.
  Result<void> sweep();
  // Those that have no records, of which it is certain that this database left it at that: they were dropped, or
  // their records were never stored. What is just being received is not among them.
  Result<std::vector<PackId>> leftover_packs();
  // Packs that are settled, and that the database knows nothing of: it is new, or older than they are, or not theirs.
  Result<std::vector<PackId>> foreign_packs();
  Result<void> remove_leftover(PackId id);

  // "" or the digests whose bytes `octets` are; invalid unless a multiple of 32.
  static Result<std::vector<Digest>> parse_digests(std::string_view octets);
  // A byte for each digest: 1 where it is missing, damaged, or a tree with something damaged below it, so that who has
  // the same content sends that again. What lies in a pack that is gone or cut short is damaged.
  Result<std::string> missing(std::span<const Digest> digests);
  Result<bool> has(const Digest& digest);

  struct Received {
    uint64_t blobs = 0, bytes = 0, stored_bytes = 0;
  };
  // Durable when it returns. `trusted`: the peer's digests are believed, else each is computed anew.
  Result<Received> receive_pack(BodyReader& body, bool trusted);

  // A pack of these blobs, in order. not_found names the first that the store lacks. In the place of one that cannot be
  // read the pack says so, and ends: it is damaged, and marked as that, or it may be had another time.
  Result<std::unique_ptr<Producer>> fetch(std::span<const Digest> digests);

  Result<void> hold_lease(LeaseId lease, std::chrono::seconds duration);
  Result<void> end_lease(LeaseId lease);

 private:
  class Incoming;
  Result<Received> receive_into(PackId id, BodyReader& body, bool trusted);

  BlobRecords& records_;
  PackStore& packs_;
  const Clock& clock_;
  PackWatch watch_;
  SoundTrees sound_;
  std::mutex mutex_;
  std::set<PackId> incoming_;  // guarded by mutex_
};

}  // namespace plz
