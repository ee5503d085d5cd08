// Finds names in a cached directory, quickest when asked in the order of the cache.
#pragma once

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>
#include <vector>

#include "store/capture/stat_cache.h"
#include "store/capture/walked_tree.h"

namespace plz {

class CacheMatcher {
 public:
  explicit CacheMatcher(const std::optional<CachedDirectory>& cached) : cached_(cached ? &*cached : nullptr) {}

  // The index of the entry, or WalkedEntry::kNotCached.
  uint32_t find(std::string_view name) {
    if (!cached_) return WalkedEntry::kNotCached;
    if (next_ < cached_->entries.size() && name_at(next_) == name) return next_++;
    uint32_t found = search(name);
    if (found != WalkedEntry::kNotCached) next_ = found + 1;
    return found;
  }

 private:
  std::string_view name_at(uint32_t index) const { return cached_->name(cached_->entries[index]); }

  uint32_t search(std::string_view name) {
    if (by_name_.empty()) {
      by_name_.resize(cached_->entries.size());
      std::iota(by_name_.begin(), by_name_.end(), 0);
      std::sort(by_name_.begin(), by_name_.end(), [&](auto a, auto b) { return name_at(a) < name_at(b); });
    }
    auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                  [&](uint32_t index, std::string_view wanted) { return name_at(index) < wanted; });
    return found != by_name_.end() && name_at(*found) == name ? *found : WalkedEntry::kNotCached;
  }

  const CachedDirectory* cached_;
  uint32_t next_ = 0;
  std::vector<uint32_t> by_name_;  // made when the order first differs
};

}  // namespace plz
