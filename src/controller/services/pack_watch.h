// Notices packs that are gone, cut short or cannot be opened before anything in them is taken for present.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "db/blob_records.h"
#include "store/pack_store.h"

namespace plz {

// Thread-safe.
class PackWatch {
 public:
  PackWatch(BlobRecords& records, PackStore& packs, const Clock& clock)
      : records_(records), packs_(packs), clock_(clock) {}

  // Looks how long every pack is, and marks what lay in the part that is not there as damaged. It takes a hundredth of
  // the time at most: after one look the next ones wait that much longer, and what happened meanwhile is found then.
  Result<void> look();

 private:
  Result<void> look_at_all();
  Result<void> mark_lost(const std::map<Uuid, Result<uint64_t>>& lost);

  BlobRecords& records_;
  PackStore& packs_;
  const Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::optional<SteadyTime> next_;
  std::map<Uuid, uint64_t> known_;  // how much there was of those whose blobs were marked
};

}  // namespace plz
