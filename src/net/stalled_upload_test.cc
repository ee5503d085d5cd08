// Bodies that began and then stall, or trickle.
#include <sys/resource.h>

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "net/http_server.h"
#include "net/server_fixture.h"

namespace plz::testing_net {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kLongBody = "POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";

// "/all" takes the body whole, "/pieces" as it comes, and anything else leaves it.
Response take(Request& request) {
  Response response;
  auto give = [&](const Error& error) {
    response.status = 503;
    response.body = error.message;
  };
  if (request.target.path == "/all") {
    auto body = request.body->read_all(8u << 20);
    if (body) response.body = std::to_string(body->size());
    else give(body.error());
  }
  if (request.target.path == "/pieces") {
    char piece[1000];
    Result<size_t> size = 1;
    while (size && *size > 0) size = request.body->read(piece, sizeof piece);
    if (!size) give(size.error());
  }
  return response;
}

// Sends a byte every millisecond until it is told that enough is known, or nobody takes it.
class Trickle {
 public:
  Trickle(const std::string& path, std::string_view head) : raw_(path) {
    raw_.send(head);
    thread_ = std::jthread([this](std::stop_token stop) {
      while (!stop.stop_requested()) {
        raw_.send("x");
        std::this_thread::sleep_for(1ms);
      }
    });
  }
  std::string answer() { return raw_.receive_until("\n\r\n"); }

 private:
  RawClient raw_;
  std::jthread thread_;
};

TEST(StalledUpload, LeavesTheHandlersToOthers) {
  HttpServerSettings settings;
  settings.handler_threads = 2;
  TestServer server(take, settings);
  std::vector<std::unique_ptr<RawClient>> stalled;
  for (int i = 0; i < 60; ++i) {
    stalled.push_back(std::make_unique<RawClient>(server.path()));
    const std::string target = i % 3 == 0 ? "/all" : "/pieces";
    const std::string framing = i % 2 == 0 ? "Content-Length: 1000000" : "Transfer-Encoding: chunked";
    stalled.back()->send("POST " + target + " HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n5\r\nabc");
  }
  ASSERT_TRUE(eventually([&] { return server->connections() == 60; }));
  auto client = server.client();
  for (int i = 0; i < 20; ++i) {
    auto small = client.call(get("/"));
    ASSERT_TRUE(small) << small.error().message;
    EXPECT_EQ(small->status, 200);
  }
  auto large = client.call(post("/all", std::string(4u << 20, 'x')));
  ASSERT_TRUE(large) << large.error().message;
  EXPECT_EQ(large->body, std::to_string(4u << 20));
  EXPECT_GE(server->connections(), 60u);
  // They were only waited for: each goes on where it stopped.
  stalled[0]->send(std::string(1'000'000 - 6, 'x'));
  EXPECT_NE(stalled[0]->receive_until("1000000").find("200 OK"), std::string::npos);
}

TEST(StalledUpload, OfTooManyTheLongestIsRefusedWithWords) {
  HttpServerSettings settings;
  settings.handler_threads = 1;
  settings.waiting_handlers = 3;
  TestServer server(take, settings);
  std::vector<std::unique_ptr<RawClient>> stalled;
  for (int i = 0; i < 4; ++i) {
    stalled.push_back(std::make_unique<RawClient>(server.path()));
    stalled.back()->send(kLongBody);
    stalled.back()->send("abc");
    // So that they come in this order.
    ASSERT_TRUE(server.client().call(get("/")));
  }
  std::string answer = stalled[0]->receive_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("others need its place"), answer.npos) << answer;
  stalled[1]->send(std::string(1'000'000 - 3, 'x'));
  EXPECT_NE(stalled[1]->receive_until("1000000").find("200 OK"), std::string::npos);
}

TEST(StalledUpload, EndsWhereItTricklesForEver) {
  HttpServerSettings settings;
  settings.body_stall_timeout = 500ms;
  settings.body_bytes_a_second = 1u << 20;
  TestServer server(take, settings);
  Trickle large(server.path(), kLongBody);
  Trickle chunked(server.path(), "POST /pieces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n");
  Trickle small(server.path(), "POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
  EXPECT_TRUE(large.answer().starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(chunked.answer().starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(small.answer().starts_with("HTTP/1.1 408 "));
}

TEST(StalledUpload, AHeaderThatTricklesEndsToo) {
  HttpServerSettings settings;
  settings.header_timeout = 200ms;
  TestServer server(take, settings);
  Trickle header(server.path(), "GET / HTTP/1.1\r\nHost: a\r\nX: ");
  EXPECT_TRUE(header.answer().starts_with("HTTP/1.1 408 "));
}

TEST(StalledUpload, BodiesShareOneMemory) {
  HttpServerSettings settings;
  settings.memory_bytes = 16u << 20;
  TestServer server(take, settings);
  RawClient first(server.path());
  first.send("POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 6000000\r\n\r\n");
  first.send(std::string(5'000'000, 'x'));
  auto client = server.client();
  Result<ClientResponse> refused = fail(ErrorCode::internal, "");
  ASSERT_TRUE(eventually([&] {
    refused = client.call(post("/all", std::string(5u << 20, 'x')));
    return refused && refused->status == 503;
  }));
  EXPECT_NE(refused->body.find("no memory left"), std::string::npos) << refused->body;
  // Small ones have room all the same, and what is given back is another's.
  auto small = client.call(post("/all", "abc"));
  ASSERT_TRUE(small) << small.error().message;
  EXPECT_EQ(small->body, "3");
  first.close();
  EXPECT_TRUE(eventually([&] {
    auto again = client.call(post("/all", std::string(5u << 20, 'x')));
    return again && again->status == 200;
  }));
}

TEST(StalledUpload, SmallBodiesAndHeadersShareItToo) {
  HttpServerSettings settings;
  settings.memory_bytes = 2u << 20;
  TestServer server(take, settings);
  std::vector<std::unique_ptr<RawClient>> stalled;
  for (int i = 0; i < 100; ++i) {
    stalled.push_back(std::make_unique<RawClient>(server.path()));
    stalled.back()->send("POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + std::string(30'000, 'x'));
  }
  // Whoever was silent for longest has to go, so that others are served.
  std::string answer = stalled[0]->receive_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: "), answer.npos) << answer;
  ASSERT_TRUE(server.client().call(get("/")));
  auto whole = server.client().call(post("/all", std::string(60'000, 'x')));
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->body, "60000");
}

TEST(StalledUpload, AnswersThatNobodyTakesShareItToo) {
  HttpServerSettings settings;
  settings.memory_bytes = 9u << 20;
  TestServer server(
      [](Request&) {
        Response response;
        response.body = std::string(3u << 20, 'x');
        return response;
      },
      settings);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 3; ++i) {
    slow.push_back(std::make_unique<RawClient>(server.path()));
    slow.back()->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    if (i == 2) break;  // its answer is what is looked at
    EXPECT_NE(slow.back()->receive_until("xxx").find("xxx"), std::string::npos);
  }
  std::string answer = slow.back()->receive_until("\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer.substr(0, 1000);
  EXPECT_TRUE(eventually([&] {
    auto later = server.client().call(get("/"));
    return later && later->status == 200;
  }));
}

TEST(StalledUpload, StopsWithTheServer) {
  TestServer server(take);
  std::vector<std::unique_ptr<RawClient>> stalled;
  for (int i = 0; i < 40; ++i) {
    stalled.push_back(std::make_unique<RawClient>(server.path()));
    stalled.back()->send(kLongBody);
  }
  ASSERT_TRUE(eventually([&] { return server->connections() == 40; }));
  server->stop(1ms);
  server.destroy();
  for (auto& raw : stalled) raw->receive_all();
}

}  // namespace
}  // namespace plz::testing_net
