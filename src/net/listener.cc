#include "net/listener.h"

#include <sys/socket.h>

#include <cstring>

#include <fmt/core.h>

#include "base/log.h"
#include "net/socket.h"

namespace plz {
namespace {

constexpr int kAcceptsInARow = 64;
constexpr std::chrono::milliseconds kRetryDelay{100};

Peer describe_peer(int fd, const SocketAddress& address) {
  Peer peer;
  peer.address = address.to_string();
  if (address.storage.ss_family != AF_UNIX) return peer;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return peer;
  peer.uid = credentials.uid;
  peer.pid = credentials.pid;
  peer.address = fmt::format("unix:pid={},uid={}", credentials.pid, credentials.uid);
  return peer;
}

}  // namespace

Listener::Listener(EventLoop& loop, UniqueFd fd, Wrap wrap, Accepted accepted)
    : loop_(loop), fd_(std::move(fd)), wrap_(std::move(wrap)), accepted_(std::move(accepted)), retry_(loop) {}

void Listener::begin() {
  watch_ = std::make_unique<FdWatch>(loop_, fd_.get());
  accept_some();
}

void Listener::close() {
  watch_ = nullptr;
  fd_.reset();
}

void Listener::accept_some() {
  if (!watch_) return;
  for (int i = 0; i < kAcceptsInARow; ++i)
    if (!accept_one()) return;
  loop_.post([this] { accept_some(); });
}

// False when there is none for now; what comes later is arranged for.
bool Listener::accept_one() {
  SocketAddress address;
  address.size = sizeof address.storage;
  UniqueFd fd(
      accept4(fd_.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) {
    tune_socket(fd.get(), address.storage.ss_family);
    Peer peer = describe_peer(fd.get(), address);
    if (auto transport = wrap_(std::move(fd))) accepted_(std::move(transport), std::move(peer));
    return true;
  }
  if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) return true;
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    watch_->when_readable([this] { accept_some(); });
    return false;
  }
  // Out of descriptors or memory: the backlog waits until something is closed.
  log_warning("cannot accept a connection, trying again: {}", strerror(errno));
  retry_.after(kRetryDelay, [this] { accept_some(); });
  return false;
}

}  // namespace plz
