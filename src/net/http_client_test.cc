#include "net/http_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <future>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "net/server_fixture.h"
#include "net/socket.h"

namespace plz::testing_net {
namespace {

using namespace std::chrono_literals;

std::string random_bytes(size_t size) {
  std::mt19937_64 random(42);
  std::string bytes(size, '\0');
  for (size_t i = 0; i + 8 <= size; i += 8) {
    uint64_t value = random();
    memcpy(bytes.data() + i, &value, 8);
  }
  return bytes;
}

uint64_t checksum(std::string_view bytes, uint64_t hash = 14695981039346656037u) {
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

// Answers with the checksum of the body.
Response digest(Request& request) {
  std::string buffer(200'000, '\0');
  uint64_t hash = checksum("");
  Response response;
  for (;;) {
    auto n = request.body->read(buffer.data(), buffer.size());
    if (!n) {
      response.body = n.error().message;
      return response;
    }
    if (*n == 0) break;
    hash = checksum(std::string_view(buffer).substr(0, *n), hash);
  }
  response.body = std::to_string(hash);
  return response;
}

// A server that says what a script tells it, one connection after the other.
class Imposter {
 public:
  using Script = std::function<void(int fd, int nth)>;
  explicit Imposter(Script script) : path_(directory_.path() + "/s"), script_(std::move(script)) {
    listener_ = std::move(*listen_at(path_));
    thread_ = std::jthread([this] { serve(); });
  }
  ~Imposter() { shutdown(listener_.get(), SHUT_RDWR); }
  HttpClient client(ClientSettings settings = {}) const {
    return HttpClient(Endpoint{.kind = Endpoint::Kind::unix_socket, .path = path_}, settings);
  }
  int connections() const { return connections_; }

  static bool read_request(int fd) {
    std::string bytes;
    char buffer[4096];
    while (bytes.find("\r\n\r\n") == bytes.npos) {
      ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) return false;
      bytes.append(buffer, static_cast<size_t>(n));
    }
    return true;
  }
  static void say(int fd, std::string_view bytes) { send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

 private:
  void serve() {
    for (;;) {
      // shutdown() in the destructor ends this wait.
      pollfd entry{listener_.get(), POLLIN, 0};
      poll(&entry, 1, -1);
      UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) return;
      script_(fd.get(), connections_++);
    }
  }

  TemporaryDirectory directory_;
  std::string path_;
  Script script_;
  UniqueFd listener_;
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

TEST(HttpClient, SaysThatNobodyIsThere) {
  TemporaryDirectory directory;
  std::string path = directory.path() + "/none";
  HttpClient client(*parse_endpoint("unix:" + path));
  auto response = client.call(get("/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_EQ(response.error().message, "cannot connect to unix:" + path + ": No such file or directory");
  auto dead = listen_at(path);
  dead->reset();
  auto refused = client.call(get("/"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cannot connect to unix:" + path + ": Connection refused");
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
}

TEST(HttpClient, RefusesAPathThatNoSocketCanHave) {
  HttpClient client(*parse_endpoint("unix:/" + std::string(120, 'x')));
  EXPECT_EQ(client.call(get("/")).error().code, ErrorCode::invalid);
}

TEST(HttpClient, GivesUpConnectingInTime) {
  TemporaryDirectory directory;
  std::string path = directory.path() + "/s";
  auto listener = listen_at(path);
  ASSERT_EQ(listen(listener->get(), 0), 0);
  RawClient waits_in_the_backlog(path);
  HttpClient client(*parse_endpoint("unix:" + path), ClientSettings{.connect_timeout = 30ms});
  auto response = client.call(get("/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::timeout) << response.error().message;
}

TEST(HttpClient, SendsLargeBodies) {
  TestServer server(digest);
  auto client = server.client();
  std::string body = random_bytes(32u << 20);
  for (int i = 0; i < 2; ++i) {
    auto response = client.call(post("/", body));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, std::to_string(checksum(body)));
  }
}

TEST(HttpClient, ReceivesLargeBodies) {
  std::string body = random_bytes(32u << 20);
  TestServer server([&](Request&) {
    Response response;
    response.body = body;
    return response;
  });
  auto client = server.client();
  EXPECT_EQ(client.call(get("/"))->body, body);
  std::string streamed;
  size_t largest = 0;
  ASSERT_TRUE(client.stream(get("/"), [&](std::string_view piece) -> Result<void> {
    streamed += piece;
    largest = std::max(largest, piece.size());
    return {};
  }));
  EXPECT_EQ(streamed, body);
  EXPECT_LE(largest, 256u << 10);
}

TEST(HttpServerUpload, TakesAHundredMegabytesInChunks) {
  TestServer server(digest);
  RawClient raw(server.path());
  raw.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  std::string piece = random_bytes(1u << 20);
  uint64_t hash = checksum("");
  size_t sizes[] = {1, 10, 1000, 65'536, 100'003, 1u << 20};
  for (size_t sent = 0, i = 0; sent < 100'000'000; ++i) {
    std::string_view chunk = std::string_view(piece).substr(0, sizes[i % std::size(sizes)]);
    char head[32];
    snprintf(head, sizeof head, "%zx\r\n", chunk.size());
    raw.send(head);
    raw.send(chunk);
    raw.send("\r\n");
    hash = checksum(chunk, hash);
    sent += chunk.size();
  }
  raw.send("0\r\n\r\n");
  EXPECT_TRUE(raw.receive_all().ends_with("\r\n\r\n" + std::to_string(hash)));
}

TEST(HttpClient, KeepsItsConnectionAndMakesAnotherWhenTheServerIsNew) {
  TestServer server(digest);
  auto client = server.client();
  ASSERT_TRUE(client.call(get("/")));
  ASSERT_TRUE(client.call(get("/")));
  EXPECT_EQ(server->connections(), 1u);
  server.restart();
  auto response = client.call(post("/", "abc"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, std::to_string(checksum("abc")));
}

// Answers the first request of each connection, and closes instead of answering the second.
void answer_once(int fd, int) {
  if (!Imposter::read_request(fd)) return;
  Imposter::say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  Imposter::read_request(fd);
}

TEST(HttpClient, RepeatsAnIdempotentRequestOnce) {
  Imposter imposter(answer_once);
  auto client = imposter.client();
  ASSERT_TRUE(client.call(get("/")));
  auto again = client.call(get("/"));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(imposter.connections(), 2);
}

TEST(HttpClient, DoesNotRepeatWhatMayHaveBeenDone) {
  Imposter imposter(answer_once);
  auto client = imposter.client();
  ASSERT_TRUE(client.call(get("/")));
  auto again = client.call(post("/", "abc"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::unavailable);
  EXPECT_EQ(imposter.connections(), 1);
}

TEST(HttpClient, DoesNotRepeatOnANewConnection) {
  Imposter imposter([](int fd, int) { Imposter::read_request(fd); });
  auto response = imposter.client().call(get("/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_EQ(imposter.connections(), 1);
}

struct Script {
  const char* says;
  bool good;
  const char* body;
};

TEST(HttpClient, TellsWholeAnswersFromOthers) {
  const Script table[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, "ok"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
       true, "ok"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", true, "until the end"},
      {"HTTP/1.0 200 OK\r\n\r\n", true, ""},
      {"HTTP/1.1 204 No Content\r\n\r\n", true, ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true, "ok"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", false, ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", false, ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", false, ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nok\r\n0\r\n\r\n", false, ""},
      {"HTTP/1.1 200 OK\r\nContent-Le", false, ""},
      {"HTTP/1.1 100 Continue\r\n\r\n", false, ""},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", false, ""},
      {"", false, ""},
  };
  for (const auto& line : table) {
    Imposter imposter([&](int fd, int) {
      Imposter::read_request(fd);
      Imposter::say(fd, line.says);
    });
    auto response = imposter.client().call(get("/"));
    ASSERT_EQ(response.has_value(), line.good) << line.says;
    if (!response) {
      EXPECT_EQ(response.error().code, ErrorCode::unavailable) << response.error().message;
      continue;
    }
    EXPECT_EQ(response->body, line.body) << line.says;
  }
}

TEST(HttpClient, GivesUpOnAStalledAnswer) {
  std::promise<void> done;
  Imposter imposter([&](int fd, int) {
    Imposter::read_request(fd);
    Imposter::say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok");
    done.get_future().wait();
  });
  ClientRequest request = get("/");
  request.stall_timeout = 20ms;
  auto response = imposter.client().call(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::timeout);
  EXPECT_TRUE(response.error().message.ends_with(": no answer for 0.02 s")) << response.error().message;
  done.set_value();
}

TEST(HttpClient, IsCancelledWhileItWaits) {
  auto stream = std::make_shared<FedStream>();
  TestServer server([&](Request&) {
    Response response;
    response.stream = stream;
    return response;
  });
  auto client = server.client();
  stream->feed("x");
  std::jthread canceller;
  auto response = client.stream(get("/"), [&](std::string_view) -> Result<void> {
    canceller = std::jthread([&] { client.cancel(); });
    return {};
  });
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::cancelled);
  EXPECT_EQ(client.call(get("/")).error().code, ErrorCode::cancelled);
  EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
}

TEST(HttpClient, EndsAStreamWithItsReadersError) {
  TestServer server([](Request& request) {
    Response response;
    response.status = request.target.path == "/bad" ? 404 : 200;
    response.body = "some text";
    return response;
  });
  auto client = server.client();
  auto unwilling = [](std::string_view) -> Result<void> { return fail(ErrorCode::conflict, "enough"); };
  auto response = client.stream(get("/good"), unwilling);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "enough");
  auto bad = client.stream(get("/bad"), unwilling);
  ASSERT_TRUE(bad) << bad.error().message;
  EXPECT_EQ(bad->status, 404);
  EXPECT_EQ(bad->body, "some text");
}

TEST(HttpClient, DoesNotTakeTheRestOfAnAnswerForTheNext) {
  auto stream = std::make_shared<FedStream>();
  TestServer server([&](Request& request) {
    Response response;
    if (request.target.path == "/stream") response.stream = stream;
    response.body = "fixed";
    return response;
  });
  auto client = server.client();
  stream->feed("x");
  auto thrower = [](std::string_view) -> Result<void> { throw std::runtime_error("no more"); };
  EXPECT_THROW(static_cast<void>(client.stream(get("/stream"), thrower)), std::runtime_error);
  auto response = client.call(get("/"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "fixed");
}

ClientRequest upload(BodySource source) {
  ClientRequest request{.method = "POST", .target = "/"};
  request.body_source = std::move(source);
  request.idempotent = false;
  return request;
}

TEST(HttpClient, SendsABodyAsItComes) {
  TestServer server(digest);
  auto client = server.client();
  std::string body = random_bytes(3'000'000);
  for (size_t piece : {1'000'000u, 65'537u}) {
    size_t done = 0;
    auto response = client.call(upload([&](char* buffer, size_t size) -> Result<size_t> {
      size_t n = std::min({size, piece, body.size() - done});
      memcpy(buffer, body.data() + done, n);
      done += n;
      return n;
    }));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, std::to_string(checksum(body)));
  }
  EXPECT_EQ(server->connections(), 1u);
}

TEST(HttpClient, ABodyThatCannotBeReadEndsTheCall) {
  TestServer server(digest);
  auto client = server.client();
  int asked = 0;
  auto response = client.call(upload([&](char*, size_t) -> Result<size_t> {
    if (++asked < 3) return 1000;
    return fail(ErrorCode::not_found, "the file is gone");
  }));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "the file is gone");
  EXPECT_TRUE(client.call(get("/")));
}

TEST(HttpClient, HearsAnAnswerBeforeTheBodyIsOut) {
  Imposter imposter([](int fd, int) {
    Imposter::read_request(fd);
    Imposter::say(fd, "HTTP/1.1 500 No\r\nContent-Length: 9\r\nConnection: close\r\n\r\ndisk full");
  });
  auto response = imposter.client().call(upload([](char* buffer, size_t size) -> Result<size_t> {
    memset(buffer, 'x', size);
    return size;
  }));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 500);
  EXPECT_EQ(response->body, "disk full");
}

TEST(HttpClient, RefusesRequestsThatWouldBecomeOthers) {
  TestServer server(digest);
  auto client = server.client();
  for (const char* target : {"", "a", "/a b", "/a\r\nX: y", "/\xff"})
    EXPECT_EQ(client.call(get(target)).error().code, ErrorCode::invalid) << target;
  for (auto [name, value] : {std::pair("A", "b\r\nc: d"), std::pair("A b", "c"), std::pair("", "c")}) {
    ClientRequest request = get("/");
    request.headers.add(name, value);
    EXPECT_EQ(client.call(request).error().code, ErrorCode::invalid) << name;
  }
  EXPECT_TRUE(client.call(get("/")));
}

}  // namespace
}  // namespace plz::testing_net
