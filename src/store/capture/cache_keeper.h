// Saves what a capture learnt to the stat cache: at its end, when it fails, and now and then before,
// so that the next one begins where this one got to. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "base/result.h"
#include "store/capture/stat_cache.h"
#include "store/capture/walked_tree.h"

namespace plz {

class CacheKeeper {
 public:
  CacheKeeper(std::string path, uint64_t root_key, WalkedTree& tree);

  // Saves what is known so far if the last time is long ago. Failure is left to the final save.
  void save_if_due();
  Result<void> save_unfinished();
  // The whole is stored.
  Result<void> save_finished();

 private:
  Result<void> save(bool finished);
  Result<uint64_t> add_clean(StatCacheWriter& writer, const WalkedDirectory& directory);
  Result<uint64_t> add_walked(StatCacheWriter& writer, const WalkedDirectory& directory, bool finished);
  // What follows the entry's name in the cache.
  std::string_view target_of(const WalkedDirectory& directory, const WalkedEntry& entry) const;

  std::string path_;  // empty: nothing is saved
  uint64_t root_key_;
  WalkedTree& tree_;
  std::mutex saving_;
  std::chrono::steady_clock::time_point due_;  // by saving_
};

}  // namespace plz
