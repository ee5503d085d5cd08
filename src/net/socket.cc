#include "net/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nss.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <mutex>

#include <fmt/core.h>

namespace plz {
namespace {

constexpr int kBacklog = 1024;

void set_option(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); }

// A static program must not load the plug-ins that the host's nsswitch.conf names: they belong to
// the host's C library. Files and DNS are built in.
void keep_name_service_built_in() {
  static std::once_flag once;
  std::call_once(once, [] {
    bool is_static = getauxval(AT_BASE) == 0;
    if (is_static) __nss_configure_lookup("hosts", "files dns");
  });
}

}  // namespace

std::string SocketAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    auto in = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, ntohs(in->sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    auto in = reinterpret_cast<const sockaddr_in6*>(&storage);
    inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
    return fmt::format("[{}]:{}", text, ntohs(in->sin6_port));
  }
  return "unix";
}

Result<SocketAddress> unix_address(const std::string& path) {
  SocketAddress address;
  auto un = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.size() >= sizeof un->sun_path)
    return fail(ErrorCode::invalid,
                fmt::format("the socket path {} is longer than {} bytes", path, sizeof un->sun_path - 1),
                "choose a shorter directory for it");
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path, path.c_str(), path.size() + 1);
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

Result<std::vector<SocketAddress>> resolve(const std::string& host, uint16_t port) {
  keep_name_service_built_in();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0)
    return fail(
        error == EAI_NONAME ? ErrorCode::invalid : ErrorCode::unavailable,
        fmt::format("cannot resolve {}: {}", host, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error)));
  std::vector<SocketAddress> addresses;
  for (addrinfo* entry = list; entry; entry = entry->ai_next) {
    SocketAddress& address = addresses.emplace_back();
    memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
  }
  freeaddrinfo(list);
  return addresses;
}

Result<UniqueFd> listen_at(const std::string& path, mode_t mode) {
  PLZ_ASSIGN(SocketAddress address, unix_address(path));
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("cannot make a socket");
  // The file takes its mode from the socket's, so there is no moment at which others may connect.
  if (fchmod(fd.get(), mode) != 0) return fail_errno("cannot set the mode of a socket");
  if (bind(fd.get(), address.get(), address.size) != 0) {
    Error error = errno_error(errno, "cannot listen at " + path);
    if (errno == EADDRINUSE) error.code = ErrorCode::conflict;
    return fail(std::move(error));
  }
  if (listen(fd.get(), kBacklog) != 0) return fail_errno("cannot listen at " + path);
  return fd;
}

Result<UniqueFd> listen_on(const SocketAddress& address) {
  UniqueFd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("cannot make a socket");
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (bind(fd.get(), address.get(), address.size) != 0 || listen(fd.get(), kBacklog) != 0) {
    Error error = errno_error(errno, "cannot listen on " + address.to_string());
    if (errno == EADDRINUSE) error.code = ErrorCode::conflict;
    return fail(std::move(error));
  }
  return fd;
}

Result<uint16_t> local_port(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0)
    return fail_errno("cannot tell a socket's address");
  if (address.storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
}

void tune_socket(int fd, int family) {
  constexpr int kUnixBufferBytes = 1 << 20;
  if (family == AF_UNIX) {
    set_option(fd, SOL_SOCKET, SO_SNDBUF, kUnixBufferBytes);
    return;
  }
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

}  // namespace plz
