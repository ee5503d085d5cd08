// A unix socket to listen on.
#pragma once

#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace plz {

// Bound (mode 0600) and listening. A socket that a dead controller left is replaced: the caller holds
// the data directory's lock, so nobody else can be using it. invalid: the path is too long (107 bytes).
Result<UniqueFd> listen_on_unix_socket(const std::string& path);

}  // namespace plz
