// Opens directories below a root by relative paths of any length, never through a symbolic link:
// what somebody swaps under our feet cannot lead us out of the root.
#pragma once

#include <string_view>

#include "os/fd.h"

namespace plz {

// "" is the root itself. No descriptor: errno says why (ELOOP or ENOTDIR for a link on the way).
UniqueFd open_directory_beneath(int root, std::string_view path);

}  // namespace plz
