#include "cli/unix_connect.h"

#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/fd.h"

namespace plz {

Result<std::optional<UnixPeer>> unix_socket_peer(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::invalid, "the path of the socket is too long: " + path,
                "set XDG_RUNTIME_DIR to a directory with a shorter path");
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("cannot make a socket");
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return fail_errno("cannot ask who listens");
    return UnixPeer{peer.uid, peer.pid};
  }
  // A full backlog: somebody listens, and is slow.
  if (errno == EAGAIN) return UnixPeer{geteuid(), 0};
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::nullopt;
  return fail_errno("cannot connect to " + path);
}

Result<bool> unix_socket_accepts(const std::string& path) {
  PLZ_ASSIGN(const auto peer, unix_socket_peer(path));
  return peer.has_value();
}

}  // namespace plz
