// For this folder's tests: a server on a unix socket whose answers the test decides, and which
// remembers what it was asked.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "net/http_client.h"
#include "net/http_server.h"

namespace plz::testing_client {

struct Asked {
  std::string method, target, body, idempotency_key;
};

class ScriptedServer {
 public:
  using Answer = std::function<Response(const Asked&)>;
  explicit ScriptedServer(Answer answer);
  ~ScriptedServer();
  Endpoint endpoint() const { return Endpoint{.kind = Endpoint::Kind::unix_socket, .path = path_}; }
  std::vector<Asked> asked();
  Asked last();

 private:
  Response handle(Request& request);

  Answer answer_;
  std::string directory_, path_;
  std::mutex mutex_;
  std::vector<Asked> asked_;
  std::unique_ptr<HttpServer> server_;
};

Response json(std::string body, int status = 200);

}  // namespace plz::testing_client
