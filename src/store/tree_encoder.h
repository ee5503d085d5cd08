// Encodes a tree entry by entry (tree.h), for who has them not all at once.
#pragma once

#include <string>
#include <string_view>

#include "store/tree.h"

namespace plz {

class TreeEncoder {
 public:
  TreeEncoder();
  // In the order of names.
  void add(EntryKind kind, uint32_t mode, std::string_view name, uint64_t bytes, uint64_t files, const Digest& digest,
           std::string_view target);
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace plz
