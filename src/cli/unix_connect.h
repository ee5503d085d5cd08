// Whether anybody listens on a unix socket.
#pragma once

#include <string>

#include "base/result.h"

namespace plz {

// True: a connection was accepted (and is closed again). False: the socket is absent or nobody
// listens. Does not wait for an answer.
Result<bool> unix_socket_accepts(const std::string& path);

}  // namespace plz
