// A blocking HTTP/1.1 client: one connection, kept alive, reconnected when the server had closed it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_types.h"

namespace plz {

// Where a server is.
struct Endpoint {
  enum class Kind { unix_socket, http, https };
  Kind kind = Kind::unix_socket;
  std::string path;  // unix socket
  std::string host;  // http, https
  uint16_t port = 0;
  std::string ca_file;                     // https; empty: the system's
  std::string certificate_file, key_file;  // https; PEM, of the client; empty: none is shown
  std::string to_string() const;
  // What the Host field of requests says: "host:port" without the scheme's own port, as AWS signs it.
  std::string authority() const;
};
// "unix:/path", "http://host:port", "https://host:port".
Result<Endpoint> parse_endpoint(std::string_view text);

struct ClientSettings {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds stall_timeout{60'000};  // no byte moved meanwhile; a stream may say otherwise
};

// Fills up to `size` bytes of a body into `buffer`; 0: its end. An error ends the request.
using BodySource = std::function<Result<size_t>(char* buffer, size_t size)>;

struct ClientRequest {
  std::string method = "GET";
  std::string target;  // path and query, encoded
  Headers headers;
  std::string_view body;                        // valid until the call returns
  BodySource body_source;                       // in place of `body`: sent chunked, as it comes; never repeated
  std::chrono::milliseconds stall_timeout{0};   // 0: the client's
  std::function<void(const Headers&)> on_head;  // told the fields of a 2xx answer before its body comes
  // Idempotent requests (GET, PUT, and whatever says so) are repeated once when a kept connection
  // turns out to be closed.
  bool idempotent = true;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

// Not thread-safe, but cancel() is.
class HttpClient {
 public:
  HttpClient(Endpoint endpoint, ClientSettings settings = {});
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // unavailable: nobody there, or the connection broke. timeout: a deadline passed. Any HTTP status
  // is a response, not an error.
  Result<ClientResponse> call(const ClientRequest& request);

  // As call, but the body goes to `on_data` piece by piece as it arrives (pieces of up to 256 KiB);
  // an error it returns ends the call and is returned. A body of another status than 2xx is
  // collected into the response instead. A body that ends early is unavailable.
  using OnData = std::function<Result<void>(std::string_view)>;
  Result<ClientResponse> stream(const ClientRequest& request, const OnData& on_data);

  // Ends a call that is under way in another thread (it returns cancelled), and every later one.
  void cancel();

 private:
  Result<ClientResponse> exchange(const ClientRequest& request, const OnData* on_data);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
