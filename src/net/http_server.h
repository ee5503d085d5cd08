// Serves HTTP/1.1: one event-loop thread, and a pool of threads on which handlers run and may block.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/http_types.h"
#include "os/fd.h"

namespace plz {

struct HttpServerSettings {
  int handler_threads = 8;
  std::chrono::milliseconds idle_connection_timeout{60'000};  // between requests
  std::chrono::milliseconds header_timeout{10'000};           // a slow peer within a header
  std::chrono::milliseconds body_stall_timeout{60'000};       // no byte of a body, or none taken of an answer
  uint64_t body_bytes_a_second = 1u << 10;  // a body that is slower ends, after that time, as one that stalls
  size_t waiting_handlers = 1'024;          // for bodies; of one more the longest is answered 503
  // Input and answers that wait, of all connections, and what handlers keep of bodies. Requests without room are
  // answered 503.
  size_t memory_bytes = 512u << 20;
  size_t max_header_bytes = 64u << 10;
  size_t max_connections = 20'000;  // one more is answered 503 and closed
};

// Thread-safe but for construction and destruction.
class HttpServer {
 public:
  // Called from several threads; may block. A body of up to 64 KiB is there before the handler is; a
  // larger one is read by the handler's own thread as it comes, and others run while that waits. What it leaves of a
  // body is read and dropped up to 1 MiB; beyond that the connection is closed after the answer. An exception is logged
  // and answered 500, or 503 where it says that memory is short.
  using Handler = std::function<Response(Request&)>;
  HttpServer(HttpServerSettings settings, Handler handler);
  ~HttpServer();  // stop(), and waits for running handlers

  // A listening unix socket, already bound: whoever makes it decides its permissions (listen_at() in
  // net/socket.h makes one).
  Result<void> listen_unix(UniqueFd listening_socket);
  // Returns the port, which is chosen when `port` is 0.
  Result<uint16_t> listen_tcp(const std::string& address, uint16_t port);
  struct Tls {
    std::string certificate_path, key_path;  // PEM
  };
  Result<uint16_t> listen_tls(const std::string& address, uint16_t port, const Tls& tls);

  Result<void> start();
  // No new connection; open ones are closed once their current answer is sent, at the latest at the
  // deadline. Not to be called by a handler: it would wait for itself.
  void stop(std::chrono::milliseconds deadline = std::chrono::seconds(2));

  size_t connections() const;
  // When a request or an answer last moved: for idle exit.
  std::chrono::steady_clock::time_point last_activity() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
