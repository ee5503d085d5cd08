// What the parts of a composite left, by index. The output of a part is a tree of one directory an
// index, named by its number.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "model/execution.h"
#include "store/blob_channel.h"
#include "store/tree.h"

namespace plz {

struct IndexOutput {
  int64_t index = 0;
  TreeEntry entry;  // a directory
};

// Of one part; empty where it has stored no output (yet).
Result<std::vector<IndexOutput>> index_outputs(const Execution& part, BlobSource& blobs);

// One tree of parallel-N directories.
Result<Tree> join_part_outputs(const std::vector<Execution>& parts, BlobSource& blobs);

}  // namespace plz
