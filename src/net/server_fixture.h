// For this folder's tests: a server on a unix socket in a directory of its own, a client that writes
// bytes as it likes, and a stream that is fed by hand.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "net/http_client.h"
#include "net/http_server.h"
#include "os/fd.h"
#include "os/temporary_directory_test.h"

namespace plz::testing_net {

class TestServer {
 public:
  explicit TestServer(HttpServer::Handler handler, HttpServerSettings settings = {});
  HttpServer& operator*() { return *server_; }
  HttpServer* operator->() { return server_.get(); }
  void destroy() { server_ = nullptr; }
  void restart();  // a new server on the same path
  const std::string& path() const { return path_; }
  Endpoint endpoint() const { return Endpoint{.kind = Endpoint::Kind::unix_socket, .path = path_}; }
  HttpClient client(ClientSettings settings = {}) const { return HttpClient(endpoint(), settings); }

 private:
  TemporaryDirectory directory_;
  std::string path_;
  HttpServer::Handler handler_;
  HttpServerSettings settings_;
  std::unique_ptr<HttpServer> server_;
};

class RawClient {
 public:
  enum class Connect { now, later };
  explicit RawClient(const std::string& path, Connect when = Connect::now);
  void connect(const std::string& path);
  void send(std::string_view bytes);
  std::string receive_until(std::string_view marker);  // or until the end, or for 20 s at most
  std::string receive_all() { return receive_until({}); }
  bool is_closed();  // waits for it, 20 s at most
  void close() { fd_.reset(); }
  int fd() const { return fd_.get(); }

 private:
  std::string next_piece();  // empty at the end
  UniqueFd fd_;
};

// A stream that the test feeds. Thread-safe.
class FedStream final : public StreamSource {
 public:
  explicit FedStream(std::function<void()> destroyed = {}) : destroyed_(std::move(destroyed)) {}
  ~FedStream() override;
  State pull(std::string& buffer, size_t target_bytes) override;
  void on_wake(std::function<void()> wake) override;

  void feed(std::string_view bytes);
  void end(State how = State::end);
  std::function<void()> wake_function();

 private:
  std::function<void()> destroyed_;
  std::mutex mutex_;
  std::string waiting_;
  State at_end_ = State::waiting;
  std::function<void()> wake_;
};

// Looks until it is true, 20 s at most.
bool eventually(const std::function<bool()>& condition);

ClientRequest get(std::string target);
ClientRequest post(std::string target, std::string_view body);

}  // namespace plz::testing_net
