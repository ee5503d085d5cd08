// What a tree would be on disk, counted before anything of it is written.
#pragma once

#include <cstdint>
#include <stop_token>

#include "base/result.h"
#include "store/blob_channel.h"
#include "store/materialise.h"

namespace plz {

// All that lies below the tree, each directory as often as it occurs. Sums end at the largest number there is.
struct TreeExtent {
  uint64_t entries = 0;
  uint64_t bytes = 0;  // of files, holes too
  uint64_t depth = 0;  // directories in each other, the tree itself not counted
  bool operator==(const TreeExtent&) const = default;
};

// Fetches equal directories once, however often they occur: a few that share each other can be more than any disk
// holds. invalid: it is beyond the limits, in words. cancelled: `stop` asked.
Result<TreeExtent> measure_tree(const Digest& tree, BlobSource& source, const MaterialiseLimits& limits,
                                const std::stop_token& stop = {});

}  // namespace plz
