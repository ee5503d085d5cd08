#include "app/listening_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include <fmt/core.h>

namespace plz {

Result<UniqueFd> listen_on_unix_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::invalid,
                fmt::format("the socket's path is longer than {} bytes: {}", sizeof address.sun_path - 1, path),
                "set XDG_RUNTIME_DIR to a shorter path");
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("cannot make a socket");
  struct stat st;
  if (lstat(path.c_str(), &st) == 0 && !S_ISSOCK(st.st_mode))
    return fail(ErrorCode::conflict, path + " exists and is not a socket");
  unlink(path.c_str());
  const mode_t mask = umask(0177);
  int bound = bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  umask(mask);
  if (bound != 0) return fail_errno("cannot bind " + path);
  if (listen(fd.get(), 1024) != 0) return fail_errno("cannot listen on " + path);
  return fd;
}

}  // namespace plz
