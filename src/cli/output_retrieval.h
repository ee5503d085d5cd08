// Brings trees of the store to disk, whole or not at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/digest.h"
#include "store/blob_channel.h"
#include "store/tree.h"

namespace plz {

// conflict when something is there that must not be overwritten: anything but an empty directory.
Result<void> refuse_occupied(const std::string& path);

// Writes the tree into `directory`. It is built beside it, under a name that begins with a dot, and
// renamed when complete: on any failure nothing is there. `replace`: what was there before goes
// away once the new one is complete; else refuse_occupied() holds.
Result<void> retrieve_tree(const Digest& tree, const std::string& directory, bool replace, BlobSource& source);

// The output of an execution, into a new or empty directory; without a tree it is an empty one.
Result<void> retrieve_output(const std::optional<Digest>& tree, const std::string& directory, BlobSource& source);

// As retrieve_tree for whatever the entry is; its name is not used.
Result<void> retrieve_entry(const TreeEntry& entry, const std::string& path, bool replace, BlobSource& source);

// The paths in the tree, sorted, directories too.
Result<std::vector<std::string>> paths_in_tree(const Digest& tree, BlobSource& source);

}  // namespace plz
