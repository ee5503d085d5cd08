// A client's connection: blocking, with deadlines, and ended by cancel from another thread.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_client.h"
#include "net/socket.h"
#include "net/tls.h"
#include "net/transport.h"
#include "os/fd.h"

namespace plz {

// Wakes waits in one thread from another, for good.
class CancelSignal {
 public:
  CancelSignal();
  void set();  // thread-safe
  bool is_set() const { return set_; }
  int fd() const { return fd_.get(); }  // readable once set

 private:
  UniqueFd fd_;
  std::atomic<bool> set_{false};
};

// Used by one thread.
class ClientConnection {
 public:
  ClientConnection(const Endpoint& endpoint, const CancelSignal& cancelled)
      : endpoint_(endpoint), cancelled_(cancelled) {}

  Result<void> connect(std::chrono::milliseconds timeout);
  void close() { transport_ = nullptr; }
  // False also when the peer has closed it, or has sent what nobody asked for.
  bool is_usable();

  // Both: timeout when no byte moves for so long; unavailable when the connection breaks.
  Result<void> send(iovec* parts, int count, std::chrono::milliseconds stall_timeout);
  // 0 when the peer sends no more.
  Result<size_t> receive(void* buffer, size_t size, std::chrono::milliseconds stall_timeout);
  // Whether send() has handed a byte to the system since it began.
  bool has_sent() const { return has_sent_; }

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  Result<UniqueFd> connect_unix(Deadline deadline);
  Result<UniqueFd> connect_tcp(Deadline deadline);
  Result<UniqueFd> connect_to(const SocketAddress& address, Deadline deadline);
  Result<void> shake_hands(Deadline deadline);
  Result<void> wait(int fd, short events, Deadline deadline, std::string_view awaited);
  Result<void> wait_for(IoResult::State want, Deadline deadline, std::string_view awaited);
  Error broken(const IoResult& result) const;
  tl::unexpected<Error> cannot_connect(int error_number) const;

  const Endpoint& endpoint_;
  const CancelSignal& cancelled_;
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<TlsContext> tls_;
  bool has_sent_ = false;
};

}  // namespace plz
