#include "net/client_connection.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include <fmt/core.h>

namespace plz {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string seconds_text(milliseconds time) { return fmt::format("{} s", std::chrono::duration<double>(time).count()); }

int poll_timeout(steady_clock::time_point deadline) {
  auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

}  // namespace

CancelSignal::CancelSignal() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void CancelSignal::set() {
  set_ = true;
  uint64_t one = 1;
  if (write(fd_.get(), &one, sizeof one) < 0) return;  // full: it is readable already
}

Result<void> ClientConnection::connect(milliseconds timeout) {
  close();
  if (cancelled_.is_set()) return fail(ErrorCode::cancelled, "the call was cancelled");
  auto deadline = steady_clock::now() + timeout;
  bool is_unix = endpoint_.kind == Endpoint::Kind::unix_socket;
  PLZ_ASSIGN(UniqueFd fd, is_unix ? connect_unix(deadline) : connect_tcp(deadline));
  tune_socket(fd.get(), is_unix ? AF_UNIX : AF_INET);
  if (endpoint_.kind != Endpoint::Kind::https) {
    transport_ = make_plain_transport(std::move(fd));
    return {};
  }
  if (!tls_) {
    PLZ_ASSIGN(tls_, TlsContext::for_client(endpoint_.ca_file, endpoint_.certificate_file, endpoint_.key_file));
  }
  transport_ = tls_->connect(std::move(fd), endpoint_.host);
  if (!transport_) return fail(ErrorCode::internal, "cannot set up TLS for " + endpoint_.to_string());
  auto shaken = shake_hands(deadline);
  if (!shaken) close();
  return shaken;
}

Result<UniqueFd> ClientConnection::connect_unix(Deadline deadline) {
  PLZ_ASSIGN(SocketAddress address, unix_address(endpoint_.path));
  return connect_to(address, deadline);
}

Result<UniqueFd> ClientConnection::connect_tcp(Deadline deadline) {
  auto addresses = resolve(endpoint_.host, endpoint_.port);
  if (!addresses) return fail(std::move(addresses).error().with_context("cannot connect to " + endpoint_.to_string()));
  Result<UniqueFd> fd = fail(ErrorCode::unavailable, "there is no address of " + endpoint_.host);
  for (size_t i = 0; i < addresses->size(); ++i) {
    // An address that does not answer leaves time for the others.
    auto left = deadline - steady_clock::now();
    fd = connect_to((*addresses)[i], steady_clock::now() + left / static_cast<int>(addresses->size() - i));
    if (fd || fd.error().code == ErrorCode::cancelled) return fd;
  }
  return fd;
}

Result<UniqueFd> ClientConnection::connect_to(const SocketAddress& address, Deadline deadline) {
  UniqueFd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("cannot make a socket");
  milliseconds pause(1);
  for (;;) {
    if (::connect(fd.get(), address.get(), address.size) == 0) return fd;
    if (errno == EINPROGRESS) break;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return cannot_connect(errno);
    // A unix socket's backlog is full; there is nothing to wait on but time.
    if (steady_clock::now() >= deadline) return cannot_connect(ETIMEDOUT);
    auto paused = wait(-1, 0, steady_clock::now() + pause, "");
    if (!paused && paused.error().code == ErrorCode::cancelled) return fail(std::move(paused).error());
    pause = std::min(pause * 2, milliseconds(50));
  }
  auto waited = wait(fd.get(), POLLOUT, deadline, "connection");
  if (!waited && waited.error().code == ErrorCode::timeout) return cannot_connect(ETIMEDOUT);
  if (!waited) return fail(std::move(waited).error());
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return cannot_connect(error);
  return fd;
}

Result<void> ClientConnection::shake_hands(Deadline deadline) {
  for (;;) {
    IoResult result = transport_->handshake();
    if (result.state == IoResult::State::done) return {};
    if (result.state == IoResult::State::end || result.state == IoResult::State::failed)
      return fail(ErrorCode::unavailable,
                  fmt::format("cannot connect to {}: {}", endpoint_.to_string(), transport_->failure(result)));
    PLZ_TRY(wait_for(result.state, deadline, "TLS handshake"));
  }
}

bool ClientConnection::is_usable() {
  if (!transport_) return false;
  pollfd entry{transport_->fd(), POLLIN, 0};
  if (poll(&entry, 1, 0) == 0) return true;
  // TLS sends tickets of its own accord: only reading tells them from an end.
  char byte;
  bool usable =
      endpoint_.kind == Endpoint::Kind::https && transport_->read(&byte, 1).state == IoResult::State::want_read;
  if (!usable) close();
  return usable;
}

Result<void> ClientConnection::send(iovec* parts, int count, milliseconds stall_timeout) {
  has_sent_ = false;
  while (count > 0) {
    if (cancelled_.is_set()) return fail(ErrorCode::cancelled, "the call was cancelled");
    IoResult result = transport_->write(parts, count);
    if (result.state == IoResult::State::done) {
      has_sent_ = true;
      count = advance_parts(parts, count, result.bytes);
    } else if (result.state == IoResult::State::end || result.state == IoResult::State::failed) {
      return fail(broken(result));
    } else {
      PLZ_TRY(wait_for(result.state, steady_clock::now() + stall_timeout,
                       "readiness to take the request for " + seconds_text(stall_timeout)));
    }
  }
  return {};
}

Result<size_t> ClientConnection::receive(void* buffer, size_t size, milliseconds stall_timeout) {
  for (;;) {
    if (cancelled_.is_set()) return fail(ErrorCode::cancelled, "the call was cancelled");
    IoResult result = transport_->read(buffer, size);
    if (result.state == IoResult::State::done) return result.bytes;
    if (result.state == IoResult::State::end) return 0;
    if (result.state == IoResult::State::failed) return fail(broken(result));
    PLZ_TRY(wait_for(result.state, steady_clock::now() + stall_timeout, "answer for " + seconds_text(stall_timeout)));
  }
}

Result<void> ClientConnection::wait_for(IoResult::State want, Deadline deadline, std::string_view awaited) {
  return wait(transport_->fd(), want == IoResult::State::want_read ? POLLIN : POLLOUT, deadline, awaited);
}

Result<void> ClientConnection::wait(int fd, short events, Deadline deadline, std::string_view awaited) {
  pollfd entries[2] = {{cancelled_.fd(), POLLIN, 0}, {fd, events, 0}};
  int ready;
  do ready = poll(entries, 2, poll_timeout(deadline));
  while (ready < 0 && errno == EINTR);
  if (entries[0].revents != 0) return fail(ErrorCode::cancelled, "the call was cancelled");
  if (ready > 0) return {};
  return fail(ErrorCode::timeout, fmt::format("{}: no {}", endpoint_.to_string(), awaited));
}

Error ClientConnection::broken(const IoResult& result) const {
  return {ErrorCode::unavailable,
          fmt::format("lost the connection to {}: {}", endpoint_.to_string(), transport_->failure(result)),
          {}};
}

tl::unexpected<Error> ClientConnection::cannot_connect(int error_number) const {
  ErrorCode code = ErrorCode::unavailable;
  if (error_number == ETIMEDOUT) code = ErrorCode::timeout;
  if (error_number == EACCES || error_number == EPERM) code = ErrorCode::invalid;
  return fail(code, fmt::format("cannot connect to {}: {}", endpoint_.to_string(), strerror(error_number)));
}

}  // namespace plz
