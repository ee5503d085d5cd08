#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "net/http_server.h"
#include "net/server_fixture.h"
#include "os/file.h"

namespace plz::testing_net {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

Response stream_of(std::shared_ptr<StreamSource> stream) {
  Response response;
  response.stream = std::move(stream);
  return response;
}

HttpServer::Handler serve(std::shared_ptr<FedStream>& stream) {
  return [&stream](Request&) { return stream_of(stream); };
}

size_t count_threads() { return list_directory("/proc/self/task")->size(); }

TEST(HttpStream, SendsWhatOtherThreadsFeed) {
  auto stream = std::make_shared<FedStream>();
  TestServer server(serve(stream));
  constexpr int kThreads = 4, kLines = 5'000;
  std::vector<std::jthread> feeders;
  for (int t = 0; t < kThreads; ++t)
    feeders.emplace_back([&, t] {
      for (int i = 0; i < kLines; ++i) stream->feed(std::string(1, static_cast<char>('a' + t)) + "\n");
    });
  std::jthread ender([&] {
    for (auto& feeder : feeders) feeder.join();
    stream->end();
  });
  std::string all;
  auto response = server.client().stream(get("/"), [&](std::string_view piece) -> Result<void> {
    all += piece;
    return {};
  });
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->headers.find("Transfer-Encoding"), "chunked");
  ASSERT_EQ(all.size(), 2u * kThreads * kLines);
  for (int t = 0; t < kThreads; ++t) EXPECT_EQ(std::count(all.begin(), all.end(), 'a' + t), kLines);
}

TEST(HttpStream, LeavesTheConnectionUsable) {
  std::shared_ptr<FedStream> stream;
  TestServer server([&](Request&) {
    stream = std::make_shared<FedStream>();
    stream->feed("x");
    stream->end();
    return stream_of(stream);
  });
  auto client = server.client();
  for (int i = 0; i < 5; ++i) {
    auto response = client.call(get("/"));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "x");
  }
  EXPECT_EQ(server->connections(), 1u);
}

// Counts what is taken of it, and never ends.
class EndlessStream final : public StreamSource {
 public:
  explicit EndlessStream(std::function<void()> destroyed = {}) : destroyed_(std::move(destroyed)) {}
  ~EndlessStream() override {
    if (destroyed_) destroyed_();
  }
  State pull(std::string& buffer, size_t target_bytes) override {
    buffer.append(target_bytes, 'x');
    pulled += target_bytes;
    return State::data;
  }
  void on_wake(std::function<void()>) override {}
  std::atomic<size_t> pulled{0};

 private:
  std::function<void()> destroyed_;
};

TEST(HttpStream, IsPulledNoFasterThanItsReaderReads) {
  auto stream = std::make_shared<EndlessStream>();
  TestServer server([&](Request&) { return stream_of(stream); });
  RawClient raw(server.path());
  raw.send(kGet);
  raw.receive_until("xxxx");
  // It comes to a stop by itself: two looks in a row are the same.
  size_t last = 0;
  ASSERT_TRUE(eventually([&] {
    std::this_thread::sleep_for(20ms);
    size_t now = stream->pulled;
    return std::exchange(last, now) == now && now > 0;
  }));
  EXPECT_LT(last, 8u << 20);
  size_t received = 0;
  while (received < (16u << 20)) received += raw.receive_until("x").size();
  EXPECT_GT(stream->pulled, 16u << 20);
}

TEST(HttpStream, IsDroppedWhenItsReaderStalls) {
  std::promise<void> destroyed;
  HttpServerSettings settings;
  settings.body_stall_timeout = 50ms;
  TestServer server(
      [&](Request&) { return stream_of(std::make_shared<EndlessStream>([&] { destroyed.set_value(); })); }, settings);
  RawClient raw(server.path());
  raw.send(kGet);
  EXPECT_EQ(destroyed.get_future().wait_for(90s), std::future_status::ready);
}

TEST(HttpStream, IsReleasedWhenItsWaitingReaderLeaves) {
  std::promise<void> destroyed;
  auto stream = std::make_shared<FedStream>([&] { destroyed.set_value(); });
  TestServer server([&](Request&) { return stream_of(std::move(stream)); });
  RawClient raw(server.path());
  raw.send(kGet);
  raw.receive_until("\r\n\r\n");
  raw.close();
  EXPECT_EQ(destroyed.get_future().wait_for(90s), std::future_status::ready);
  EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
}

TEST(HttpStream, IsReleasedWhenItsBusyReaderLeaves) {
  std::promise<void> destroyed;
  TestServer server(
      [&](Request&) { return stream_of(std::make_shared<EndlessStream>([&] { destroyed.set_value(); })); });
  RawClient raw(server.path());
  raw.send(kGet);
  raw.receive_until("xxxx");
  raw.close();
  EXPECT_EQ(destroyed.get_future().wait_for(90s), std::future_status::ready);
}

TEST(HttpStream, MayBeWokenWhenConnectionAndServerAreGone) {
  auto stream = std::make_shared<FedStream>();
  auto server = std::make_unique<TestServer>(serve(stream));
  RawClient raw(server->path());
  raw.send(kGet);
  stream->feed("first");
  raw.receive_until("first");
  auto wake = stream->wake_function();
  raw.close();
  ASSERT_TRUE(eventually([&] { return (*server)->connections() == 0; }));
  wake();
  std::atomic<bool> enough = false;
  std::jthread waker([&] {
    while (!enough) wake();
  });
  server = nullptr;
  wake();
  enough = true;
}

TEST(HttpStream, EndsInAnErrorWhenItsSourceFails) {
  auto stream = std::make_shared<FedStream>();
  stream->feed("some");
  stream->end(StreamSource::State::failed);
  TestServer server(serve(stream));
  std::string got;
  auto response = server.client().stream(get("/"), [&](std::string_view piece) -> Result<void> {
    got += piece;
    return {};
  });
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_EQ(got, "some");
}

class ThrowingStream final : public StreamSource {
 public:
  State pull(std::string&, size_t) override { throw std::runtime_error("no"); }
  void on_wake(std::function<void()>) override {}
};

TEST(HttpStream, MayThrow) {
  TestServer server([&](Request&) { return stream_of(std::make_shared<ThrowingStream>()); });
  auto response = server.client().call(get("/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
}

TEST(HttpStream, IsNotPulledForHead) {
  auto stream = std::make_shared<EndlessStream>();
  TestServer server([&](Request&) { return stream_of(stream); });
  auto client = server.client();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(client.call(ClientRequest{.method = "HEAD", .target = "/"}));
  EXPECT_EQ(stream->pulled, 0u);
}

TEST(HttpStream, IsFollowedByThePipelinedRequest) {
  auto stream = std::make_shared<FedStream>();
  TestServer server([&](Request& request) {
    if (request.target.path == "/") return stream_of(stream);
    Response response;
    response.body = "second";
    return response;
  });
  RawClient raw(server.path());
  raw.send(kGet);
  stream->feed("first");
  raw.receive_until("first");
  raw.send("GET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  stream->feed("more");
  EXPECT_EQ(raw.receive_until("more").find("second"), std::string::npos);
  stream->end();
  EXPECT_TRUE(raw.receive_all().ends_with("second"));
}

TEST(HttpStream, IsCutWhenTheDeadlineOfStopPasses) {
  std::promise<void> destroyed, entered;
  auto stream = std::make_shared<FedStream>([&] { destroyed.set_value(); });
  TestServer server([&](Request&) {
    entered.set_value();
    return stream_of(std::move(stream));
  });
  auto answer = std::async(std::launch::async, [&] { return server.client().call(get("/")); });
  entered.get_future().wait();
  server->stop(50ms);
  auto response = answer.get();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
  EXPECT_EQ(destroyed.get_future().wait_for(90s), std::future_status::ready);
}

TEST(HttpStream, FinishesWithinTheDeadlineOfStop) {
  auto stream = std::make_shared<FedStream>();
  TestServer server(serve(stream));
  RawClient raw(server.path());
  raw.send(kGet);
  stream->feed("first");
  raw.receive_until("first");
  auto stopped = std::async(std::launch::async, [&] { server->stop(90s); });
  stream->feed("last");
  stream->end();
  EXPECT_TRUE(raw.receive_all().ends_with("0\r\n\r\n"));
  stopped.wait();
}

TEST(HttpStream, HasAThousandFollowersAtNoThread) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 2200) GTEST_SKIP() << "too few descriptors are allowed";

  constexpr size_t kFollowers = 1'000;
  std::mutex mutex;
  std::vector<std::shared_ptr<FedStream>> streams;
  TestServer server([&](Request&) {
    std::lock_guard lock(mutex);
    streams.push_back(std::make_shared<FedStream>());
    return stream_of(streams.back());
  });
  RawClient first(server.path());
  first.send(kGet);
  first.receive_until("\r\n\r\n");
  std::vector<std::unique_ptr<RawClient>> followers;
  for (size_t i = 0; i < kFollowers; ++i) {
    followers.push_back(std::make_unique<RawClient>(server.path()));
    followers.back()->send(kGet);
  }
  for (auto& follower : followers) follower->receive_until("\r\n\r\n");
  EXPECT_EQ(server->connections(), kFollowers + 1);
  // Main, loop, handlers; a sanitizer may have one of its own.
  EXPECT_TRUE(eventually([] { return count_threads() <= 2u + HttpServerSettings().handler_threads + 1; }));
  for (auto& stream : streams) stream->feed("news");
  for (auto& follower : followers) EXPECT_NE(follower->receive_until("news").find("news"), std::string::npos);
  for (auto& stream : streams) stream->end();
  for (auto& follower : followers) EXPECT_NE(follower->receive_until("0\r\n\r\n").find("0\r\n\r\n"), std::string::npos);
}

}  // namespace
}  // namespace plz::testing_net
