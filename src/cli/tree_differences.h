// What differs between two trees of the store, without fetching what is equal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/digest.h"
#include "store/blob_channel.h"
#include "store/tree.h"

namespace plz {

// A path that only one tree has, or has otherwise: other bytes, another mode, another kind. What
// lies below a directory that only one tree has, or the other has something else in place of, is listed
// too; directories with one difference below them are not.
struct TreeDifference {
  std::string path;
  std::optional<TreeEntry> before, after;
};

// Sorted by path.
Result<std::vector<TreeDifference>> tree_differences(const Tree& before, const Tree& after, BlobSource& source);
Result<std::vector<TreeDifference>> tree_differences(const Digest& before, const Digest& after, BlobSource& source);

// "models/net.pt: other content, 31245 bytes before, 31245 now", "a.txt: only before".
std::string difference_sentence(const TreeDifference& difference);

}  // namespace plz
