// Whether anybody listens on a unix socket, and who.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"

namespace plz {

// As the kernel says: of the process that listens.
struct UnixPeer {
  uid_t uid = 0;
  pid_t pid = 0;  // 0: it is of another process namespace
};

// A connection was accepted (and is closed again). nullopt: the socket is absent or nobody listens. Does
// not wait for an answer.
Result<std::optional<UnixPeer>> unix_socket_peer(const std::string& path);
Result<bool> unix_socket_accepts(const std::string& path);

}  // namespace plz
