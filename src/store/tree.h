// A tree: one directory, as a blob. Directories nest by digest (a Merkle tree), so that one changed
// file sends only the directories above it. A stored tree's descendants are all in the store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/digest.h"

namespace plz {

enum class EntryKind : uint8_t {  // persisted: do not renumber
  file = 0,                       // digest: the blob of its bytes
  chunked_file = 1,               // digest: the blob of its list of chunks (chunker.h)
  directory = 2,                  // digest: the blob of its tree
  symlink = 3,                    // target: the link's text
};

struct TreeEntry {
  std::string name;  // bytes: any but '/' and NUL; never empty, "." or ".."
  EntryKind kind = EntryKind::file;
  uint32_t mode = 0644;  // permission bits only, 07777; set-uid and set-gid are dropped at capture
  uint64_t bytes = 0;    // of a file; of a directory: all bytes below it
  uint64_t files = 1;    // of a directory: all files and links below it
  Digest digest;
  std::string target;
  bool operator==(const TreeEntry&) const = default;
};

struct Tree {
  std::vector<TreeEntry> entries;  // sorted by name as bytes, no name twice
  bool operator==(const Tree&) const = default;
};

// One tree has one encoding: equal directories have equal digests.
std::string encode_tree(const Tree& tree);
// invalid for anything that encode_tree would not write.
Result<Tree> decode_tree(std::string_view bytes);

}  // namespace plz
