// Sockets: listening, resolving names, connecting.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace plz {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  std::string to_string() const;  // "127.0.0.1:80", "[::1]:80", "unix"
};

// invalid: the path is longer than the 107 bytes that a socket address holds.
Result<SocketAddress> unix_address(const std::string& path);
// Blocks, as getaddrinfo(3) does.
Result<std::vector<SocketAddress>> resolve(const std::string& host, uint16_t port);

// A listening socket at `path`, with `mode` from the start. Something that lies there already is a
// conflict: whoever knows that it is stale removes it.
Result<UniqueFd> listen_at(const std::string& path, mode_t mode = 0600);
Result<UniqueFd> listen_on(const SocketAddress& address);
Result<uint16_t> local_port(int fd);

// No delay on TCP, large buffers on unix sockets.
void tune_socket(int fd, int family);

}  // namespace plz
