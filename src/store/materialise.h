// Writes trees from the store to disk.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/digest.h"
#include "store/blob_channel.h"
#include "store/tree.h"

namespace plz {

// What is written at most. Generous: they hold off trees that nobody made on purpose, or that were made to do harm.
struct MaterialiseLimits {
  uint64_t entries = 50'000'000;
  uint64_t depth = 2'000;        // directories in each other
  uint64_t bytes = 64ull << 40;  // of files, holes too
};

struct MaterialiseOptions {
  bool read_only = false;  // drops the write bits (for shared caches)
  int threads = 0;
  std::function<void(uint64_t bytes_done)> progress;
  MaterialiseLimits limits;
  std::stop_token stop;  // ends it between two files, or blobs of one
};

// Writes the tree's content into `directory`, which is made and must be empty. Names that escape it
// cannot occur (decode_tree refuses them). Holes of sparse files are kept as holes. Identical files
// are written once each: no hard links. On failure what was written stays: the caller removes it. invalid: the tree
// is damaged, or beyond the limits, which is found out before anything is written. cancelled: `stop` asked.
Result<void> materialise(const Digest& tree, const std::string& directory, const MaterialiseOptions& options,
                         BlobSource& source);

// Fetches and decodes one tree.
Result<Tree> fetch_tree(const Digest& tree, BlobSource& source);
// Follows a path of '/'-separated names to an entry; nullopt if there is none. "" is the tree itself.
Result<std::optional<TreeEntry>> find_entry(const Digest& tree, std::string_view path, BlobSource& source);
// Every path below the tree, directories before what is in them, sorted; for listings and diffs.
struct ListedEntry {
  std::string path;
  TreeEntry entry;
};
Result<std::vector<ListedEntry>> list_tree(const Digest& tree, BlobSource& source);
// Calls `write` with a file's bytes, in order, whatever its kind.
Result<void> read_entry(const TreeEntry& entry, BlobSource& source,
                        const std::function<Result<void>(std::string_view)>& write);

}  // namespace plz
