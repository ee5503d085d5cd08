// What a walk ends with: which directories are left out, and which are clean.
#pragma once

#include <functional>
#include <string>

#include "store/capture/walked_tree.h"

namespace plz {

// Fills `clean`, and of clean directories digest, bytes and files; the entries of the others.
// `note_left_out` gets the path of each directory that was only looked into and holds nothing.
void settle(WalkedTree& tree, const std::function<void(std::string)>& note_left_out);

}  // namespace plz
