#include "client/client_fixture.h"

#include <gtest/gtest.h>

#include "net/socket.h"
#include "os/file.h"

namespace plz::testing_client {

ScriptedServer::ScriptedServer(Answer answer) : answer_(std::move(answer)) {
  char name[] = "/tmp/plz-client-test-XXXXXX";
  directory_ = mkdtemp(name);
  path_ = directory_ + "/socket";
  server_ = std::make_unique<HttpServer>(HttpServerSettings{}, [this](Request& request) { return handle(request); });
  auto socket = listen_at(path_);
  EXPECT_TRUE(socket) << socket.error().message;
  EXPECT_TRUE(server_->listen_unix(std::move(*socket)));
  EXPECT_TRUE(server_->start());
}

ScriptedServer::~ScriptedServer() {
  server_.reset();
  EXPECT_TRUE(remove_tree(directory_));
}

std::vector<Asked> ScriptedServer::asked() {
  std::lock_guard lock(mutex_);
  return asked_;
}

Asked ScriptedServer::last() {
  auto all = asked();
  return all.empty() ? Asked{} : all.back();
}

Response ScriptedServer::handle(Request& request) {
  Asked asked;
  asked.method = request.method;
  asked.target = request.target.path;
  for (const auto& [name, value] : request.target.query)
    asked.target += (asked.target == request.target.path ? "?" : "&") + name + "=" + value;
  asked.body = request.body->read_all(100u << 20).value_or("unreadable");
  asked.idempotency_key = request.headers.find("Idempotency-Key").value_or("");
  {
    std::lock_guard lock(mutex_);
    asked_.push_back(asked);
  }
  return answer_(asked);
}

Response json(std::string body, int status) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace plz::testing_client
