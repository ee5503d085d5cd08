// Where a capture begins.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/capture/walked_tree.h"

namespace plz {

// Opens the root, a directory or one file. Links to it are followed if it may be one, those in it never.
Result<void> open_root(const std::string& root, WalkedTree& tree, bool may_be_link = true);

// "a fifo", of a file that is no regular file, directory or link.
std::string_view special_kind(uint32_t mode);

}  // namespace plz
