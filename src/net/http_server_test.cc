#include "net/http_server.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <new>
#include <system_error>
#include <thread>

#include <gtest/gtest.h>

#include "net/server_fixture.h"

namespace plz::testing_net {
namespace {

using namespace std::chrono_literals;

Response text(std::string body) {
  Response response;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::move(body);
  return response;
}

Response echo(Request& request) {
  auto body = request.body->read_all(64u << 20);
  return text(request.method + " " + request.target.path + " " + (body ? *body : body.error().message));
}

TEST(HttpServer, AnswersOverAUnixSocket) {
  TestServer server(echo);
  auto client = server.client();
  auto response = client.call(get("/a%20b?x=1"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "GET /a b ");
  EXPECT_EQ(response->headers.find("Server"), "plz");
  EXPECT_EQ(response->headers.find("Content-Length"), "9");
  EXPECT_EQ(response->headers.find("X-Request-Id")->size(), 36u);
  auto posted = client.call(post("/p", "some body"));
  ASSERT_TRUE(posted) << posted.error().message;
  EXPECT_EQ(posted->body, "POST /p some body");
  EXPECT_EQ(server->connections(), 1u);
}

TEST(HttpServer, AnswersOverTcp) {
  HttpServer server({}, echo);
  auto port = server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port) << port.error().message;
  ASSERT_TRUE(server.start());
  HttpClient client(Endpoint{.kind = Endpoint::Kind::http, .host = "localhost", .port = *port});
  auto response = client.call(get("/x"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "GET /x ");
}

TEST(HttpServer, KnowsItsPeer) {
  Peer peer;
  TestServer server([&](Request& request) {
    peer = request.peer;
    return text("");
  });
  ASSERT_TRUE(server.client().call(get("/")));
  EXPECT_EQ(peer.uid, getuid());
  EXPECT_EQ(peer.pid, getpid());
}

TEST(HttpServer, TakesASaneRequestIdAndReplacesOthers) {
  TestServer server([](Request& request) { return text(request.id); });
  auto client = server.client();
  auto id_for = [&](const std::string& given) {
    ClientRequest request = get("/");
    request.headers.add("X-Request-Id", given);
    auto response = client.call(request);
    EXPECT_EQ(response->headers.find("X-Request-Id"), response->body);
    return response->body;
  };
  EXPECT_EQ(id_for("my-id.1:2_3"), "my-id.1:2_3");
  EXPECT_EQ(id_for("with space").size(), 36u);
  EXPECT_EQ(id_for(std::string(129, 'a')).size(), 36u);
}

TEST(HttpServer, AnswersHeadWithoutABody) {
  TestServer server([](Request&) { return text("12345"); });
  auto client = server.client();
  ClientRequest head{.method = "HEAD", .target = "/"};
  for (int i = 0; i < 2; ++i) {
    auto response = client.call(head);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->headers.find("Content-Length"), "5");
    EXPECT_EQ(response->body, "");
  }
}

TEST(HttpServer, SendsNoBodyWith204) {
  TestServer server([](Request&) {
    Response response = text("never");
    response.status = 204;
    return response;
  });
  RawClient raw(server.path());
  raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::string answer = raw.receive_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 204 No Content\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
  EXPECT_EQ(answer.find("Content-Length"), answer.npos);
}

TEST(HttpServer, TurnsExceptionsInto500) {
  TestServer server([](Request& request) -> Response {
    if (request.target.path == "/odd") throw 7;
    throw std::runtime_error("it broke \xff");
  });
  auto client = server.client();
  for (const char* path : {"/", "/odd"}) {
    auto response = client.call(get(path));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 500);
    EXPECT_EQ(response->headers.find("Content-Type"), "application/problem+json");
  }
}

TEST(HttpServer, TurnsALackOfMemoryOrThreadsInto503) {
  TestServer server([](Request& request) -> Response {
    if (request.target.path == "/memory") throw std::bad_alloc();
    if (request.target.path == "/thread")
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    return text("well");
  });
  auto client = server.client();
  for (const char* path : {"/memory", "/thread"}) {
    auto response = client.call(get(path));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 503);
    EXPECT_EQ(response->headers.find("Retry-After"), "1");
    EXPECT_NE(response->body.find("ulimit"), std::string::npos) << response->body;
  }
  EXPECT_EQ(client.call(get("/"))->body, "well");
}

TEST(HttpServer, LeavesOutFieldsThatWouldSplitTheAnswer) {
  TestServer server([](Request&) {
    Response response = text("x");
    response.headers.add("A", "b\r\nEvil: yes");
    response.headers.add("Content-Length", "77");
    response.headers.add("Good", "1");
    return response;
  });
  auto response = server.client().call(get("/"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_FALSE(response->headers.find("Evil"));
  EXPECT_EQ(response->headers.find("Content-Length"), "1");
  EXPECT_EQ(response->headers.find("Good"), "1");
}

struct BadRequest {
  const char* name;
  std::string bytes;
  int status;
};

TEST(HttpServer, AnswersBadRequestsWithProblems) {
  HttpServerSettings settings;
  settings.max_header_bytes = 4096;
  bool handled = false;
  TestServer server(
      [&](Request&) {
        handled = true;
        return text("");
      },
      settings);
  std::string host = "Host: a\r\n";
  const BadRequest table[] = {
      {"no HTTP", "hello there\r\n\r\n", 400},
      {"a TLS hello", "\x16\x03\x01\x02", 400},
      {"line feeds alone", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"unknown version", "GET / HTTP/3.1\r\n" + host + "\r\n", 400},
      {"absolute target", "GET http://a/ HTTP/1.1\r\n" + host + "\r\n", 400},
      {"bad escape", "GET /%zz HTTP/1.1\r\n" + host + "\r\n", 400},
      {"field without colon", "GET / HTTP/1.1\r\n" + host + "nonsense\r\n\r\n", 400},
      {"field with a space", "GET / HTTP/1.1\r\n" + host + "a b: c\r\n\r\n", 400},
      {"bad length", "POST / HTTP/1.1\r\n" + host + "Content-Length: x\r\n\r\n", 400},
      {"negative length", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
      {"endless length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"length and chunks", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"equal lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
      {"two hosts", "GET / HTTP/1.1\r\n" + host + "Host: b\r\n\r\n", 400},
      {"equal hosts", "GET / HTTP/1.1\r\n" + host + "host: a\r\n\r\n", 400},
      {"two hosts of 1.0", "GET / HTTP/1.0\r\n" + host + host + "\r\n", 400},
      {"chunked twice",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"folded by a space", "GET / HTTP/1.1\r\n" + host + "a: b\r\n c\r\n\r\n", 400},
      {"folded by a tab", "GET / HTTP/1.1\r\n" + host + "a: b\r\n\tc: d\r\n\r\n", 400},
      {"folded first", "GET / HTTP/1.1\r\n " + host + "\r\n", 400},
      {"unknown encoding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {"encoded chunks", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"chunks in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"unknown expectation", "POST / HTTP/1.1\r\n" + host + "Expect: miracles\r\n\r\n", 417},
      {"large header", "GET / HTTP/1.1\r\n" + host + "a: " + std::string(5000, 'x') + "\r\n\r\n", 431},
      {"endless header", "GET / HTTP/1.1\r\n" + host + "a: " + std::string(5000, 'x'), 431},
      {"endless line", std::string(5000, 'G'), 431},
  };
  for (const auto& bad : table) {
    RawClient raw(server.path());
    raw.send(bad.bytes);
    std::string answer = raw.receive_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(bad.status) + " ")) << bad.name << ": " << answer;
    EXPECT_NE(answer.find("Content-Type: application/problem+json\r\n"), answer.npos) << bad.name;
    EXPECT_NE(answer.find("Connection: close\r\n"), answer.npos) << bad.name;
    EXPECT_NE(answer.find("\"code\":\"invalid\""), answer.npos) << bad.name << answer;
  }
  EXPECT_FALSE(handled);
}

TEST(HttpServer, ServesPipelinedRequestsInOrder) {
  TestServer server(echo);
  RawClient raw(server.path());
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += "\r\nPOST /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  requests += "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  raw.send(requests);
  std::string answers = raw.receive_all();
  size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    at = answers.find("POST /" + std::to_string(i) + " abc", at);
    ASSERT_NE(at, answers.npos) << i << answers;
  }
  EXPECT_NE(answers.find("GET /last", at), answers.npos);
}

TEST(HttpServer, ServesHttp10) {
  TestServer server([](Request& request) {
    Response response = text("fixed");
    if (request.target.path != "/stream") return response;
    auto stream = std::make_shared<FedStream>();
    stream->feed("streamed");
    stream->end();
    response.stream = stream;
    return response;
  });
  RawClient fixed(server.path());
  fixed.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(fixed.receive_all().ends_with("\r\n\r\nfixed"));
  RawClient streamed(server.path());
  streamed.send("GET /stream HTTP/1.0\r\n\r\n");
  std::string answer = streamed.receive_all();
  EXPECT_TRUE(answer.ends_with("\r\n\r\nstreamed"));
  EXPECT_EQ(answer.find("chunked"), answer.npos);
}

TEST(HttpServer, SaysContinueWhenTheBodyIsWanted) {
  TestServer server([](Request& request) {
    if (request.target.path == "/no") return text("unread");
    return echo(request);
  });
  RawClient raw(server.path());
  std::string fields = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  raw.send("POST /yes" + fields);
  EXPECT_EQ(raw.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("body");
  EXPECT_NE(raw.receive_until("POST /yes body").find("200 OK"), std::string::npos);
  raw.send("POST /no" + fields);
  std::string refused = raw.receive_all();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 200 OK")) << refused;
  EXPECT_NE(refused.find("Connection: close"), refused.npos);
}

TEST(HttpServer, GivesUpOnASlowHeader) {
  HttpServerSettings settings;
  settings.header_timeout = 50ms;
  TestServer server(echo, settings);
  RawClient raw(server.path());
  raw.send("GET / HTT");
  EXPECT_TRUE(raw.receive_all().starts_with("HTTP/1.1 408 "));
}

TEST(HttpServer, GivesUpOnASlowBody) {
  HttpServerSettings settings;
  settings.body_stall_timeout = 50ms;
  TestServer server(
      [](Request& request) {
        char byte[64 << 10];
        Result<size_t> n = 1;
        while (n && *n > 0) n = request.body->read(byte, sizeof byte);
        return text(n ? "whole" : std::string(to_string(n.error().code)));
      },
      settings);
  RawClient small(server.path());
  small.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_TRUE(small.receive_all().starts_with("HTTP/1.1 408 "));
  RawClient large(server.path());
  large.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n12345");
  EXPECT_TRUE(large.receive_all().ends_with("timeout"));
  RawClient chunked(server.path());
  chunked.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n");
  EXPECT_TRUE(chunked.receive_all().ends_with("timeout"));
}

TEST(HttpServer, ClosesIdleConnections) {
  HttpServerSettings settings;
  settings.idle_connection_timeout = 50ms;
  TestServer server(echo, settings);
  RawClient raw(server.path());
  raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  raw.receive_until("GET / ");
  EXPECT_TRUE(raw.is_closed());
  EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
}

TEST(HttpServer, TellsTheHandlerThatTheClientLeft) {
  std::promise<ErrorCode> code;
  TestServer server([&](Request& request) {
    auto body = request.body->read_all(1u << 30);
    code.set_value(body ? ErrorCode::internal : body.error().code);
    return text("");
  });
  RawClient raw(server.path());
  raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n12345");
  raw.close();
  EXPECT_EQ(code.get_future().get(), ErrorCode::unavailable);
}

TEST(HttpServer, RefusesMalformedChunks) {
  TestServer server(echo);
  for (const char* chunks :
       {"zz\r\nabc\r\n", "3\r\nabcdef\r\n", "ffffffffffffffffff\r\n", "3;\"\r\nabc\r\n0\r\n\r\n"}) {
    RawClient raw(server.path());
    raw.send(std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") + chunks);
    std::string answer = raw.receive_all();
    EXPECT_TRUE(answer.ends_with("malformed chunk")) << chunks << answer;
    EXPECT_NE(answer.find("Connection: close"), answer.npos);
  }
}

TEST(HttpServer, DrainsASmallBodyThatTheHandlerLeft) {
  TestServer server([](Request&) { return text("no thanks"); });
  RawClient raw(server.path());
  std::string body(200'000, 'x');
  raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_NE(raw.receive_until("no thanks").find("Connection: keep-alive"), std::string::npos);
  raw.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n");
  raw.receive_until("no thanks");
  raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(raw.receive_until("no thanks").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, ClosesRatherThanDrainALargeBody) {
  TestServer server([](Request&) { return text("no thanks"); });
  auto client = server.client();
  std::string body(32u << 20, 'x');
  for (int i = 0; i < 3; ++i) {
    auto response = client.call(post("/", body));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "no thanks");
    EXPECT_EQ(response->headers.find("Connection"), "close");
  }
}

TEST(HttpServer, RefusesMoreConnectionsThanItsLimit) {
  HttpServerSettings settings;
  settings.max_connections = 2;
  TestServer server(echo, settings);
  RawClient a(server.path()), b(server.path());
  ASSERT_TRUE(eventually([&] { return server->connections() == 2; }));
  RawClient c(server.path());
  EXPECT_TRUE(c.receive_all().starts_with("HTTP/1.1 503 "));
  a.close();
  ASSERT_TRUE(eventually([&] { return server->connections() == 1; }));
  EXPECT_TRUE(server.client().call(get("/")));
}

TEST(HttpServer, WaitsWhenItIsOutOfDescriptors) {
  TestServer server(echo);
  RawClient raw(server.path(), RawClient::Connect::later);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &none);
  raw.connect(server.path());
  raw.send("GET /patience HTTP/1.1\r\nHost: a\r\n\r\n");
  std::this_thread::sleep_for(10ms);  // so that accept fails at least once
  EXPECT_EQ(server->connections(), 0u);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_NE(raw.receive_until("GET /patience").find("GET /patience"), std::string::npos);
}

TEST(HttpServer, NotesItsActivity) {
  TestServer server(echo);
  auto before = std::chrono::steady_clock::now();
  EXPECT_LT(server->last_activity(), before);
  ASSERT_TRUE(server.client().call(get("/")));
  EXPECT_GE(server->last_activity(), before);
}

TEST(HttpServer, StopsWithIdleConnectionsAtOnce) {
  TestServer server(echo);
  RawClient idle(server.path()), within_head(server.path());
  within_head.send("GET / HT");
  ASSERT_TRUE(eventually([&] { return server->connections() == 2; }));
  auto begin = std::chrono::steady_clock::now();
  server->stop(300s);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 200s);
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(within_head.is_closed());
  auto refused = server.client().call(get("/"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  server->stop(90s);
}

TEST(HttpServer, FinishesTheRunningAnswerWhenItStops) {
  std::promise<void> entered, proceed;
  TestServer server([&](Request&) {
    entered.set_value();
    proceed.get_future().wait();
    return text(std::string(5'000'000, 'x'));
  });
  auto answer = std::async(std::launch::async, [&] { return server.client().call(get("/")); });
  entered.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { server->stop(90s); });
  EXPECT_EQ(stopped.wait_for(20ms), std::future_status::timeout);
  proceed.set_value();
  stopped.wait();
  auto response = answer.get();
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body.size(), 5'000'000u);
  EXPECT_EQ(server->connections(), 0u);
}

TEST(HttpServer, CutsAHandlerThatReadsWhenTheDeadlineOfStopPasses) {
  std::promise<void> entered;
  std::promise<bool> read_failed;
  TestServer server([&](Request& request) {
    entered.set_value();
    read_failed.set_value(!request.body->read_all(1u << 30));
    return text("");
  });
  RawClient raw(server.path());
  raw.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n12345");
  entered.get_future().wait();
  server->stop(1ms);
  EXPECT_TRUE(read_failed.get_future().get());
  server.destroy();
}

}  // namespace
}  // namespace plz::testing_net
