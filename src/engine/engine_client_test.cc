// Answers that no engine gives unless something is wrong.
#include "engine/engine_client.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/server_fixture.h"

namespace plz {
namespace {

using testing::HasSubstr;
using testing_net::TestServer;

// Answers pings as an engine of this version does, and the rest as told.
class Imposter {
 public:
  using Handler = std::function<Response(Request&)>;
  explicit Imposter(Handler handler, std::string api_version = "1.41")
      : server_([this, handler = std::move(handler), api_version = std::move(api_version)](Request& request) {
          if (request.target.path != "/_ping") {
            last_path_ = request.target.path;
            return handler(request);
          }
          Response pong{.body = "OK"};
          if (!api_version.empty()) pong.headers.add("Api-Version", api_version);
          return pong;
        }) {}
  EngineClient client() const { return EngineClient({server_.endpoint(), "this test"}); }
  TestServer& server() { return server_; }
  std::string last_path() const { return last_path_; }

 private:
  std::string last_path_;
  TestServer server_;
};

Response answer(int status, std::string body) { return Response{.status = status, .body = std::move(body)}; }

TEST(EngineClient, SaysWhatToDoWithoutAnEngine) {
  EngineClient client({{.kind = Endpoint::Kind::unix_socket, .path = "/nonexistent/docker.sock"}, "this test"});
  auto version = client.version();
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, ErrorCode::unavailable);
  EXPECT_THAT(version.error().message, HasSubstr("/nonexistent/docker.sock"));
  EXPECT_THAT(version.error().hint, HasSubstr("docker.io"));
}

TEST(EngineClient, SpeaksTheVersionThatBothUnderstand) {
  for (auto [theirs, path] : {std::pair("1.41", "/v1.41/version"), std::pair("1.52", "/v1.44/version")}) {
    Imposter imposter([](Request&) { return answer(200, R"({"Version":"1","ApiVersion":"1"})"); }, theirs);
    ASSERT_TRUE(imposter.client().version());
    EXPECT_EQ(imposter.last_path(), path);
  }
}

TEST(EngineClient, AsksForDevicesInTheVersionThatHasThem) {
  for (auto [theirs, path] : {std::pair("1.41", "/v1.41/info"), std::pair("1.52", "/v1.50/info")}) {
    Imposter imposter([](Request&) { return answer(200, R"({"DiscoveredDevices":[{"ID":"nvidia.com/gpu=0"}]})"); },
                      theirs);
    auto info = imposter.client().info();
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_THAT(info->devices, testing::ElementsAre("nvidia.com/gpu=0"));
    EXPECT_EQ(imposter.last_path(), path);
  }
}

TEST(EngineClient, KnowsWhatIsNoEngine) {
  Imposter nameless([](Request&) { return answer(200, "{}"); }, "");
  auto version = nameless.client().version();
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, ErrorCode::unavailable);
  EXPECT_THAT(version.error().message, HasSubstr("no Docker engine"));
  Imposter page([](Request&) { return answer(200, "<html>"); });
  EXPECT_EQ(page.client().info().error().code, ErrorCode::unavailable);
  EXPECT_EQ(page.client().list_containers({}).error().code, ErrorCode::unavailable);
  EXPECT_EQ(page.client().create_container("x", {"{}"}).error().code, ErrorCode::unavailable);
}

TEST(EngineClient, RemovesWhatEndsMeanwhile) {
  int asked = 0;
  bool mends = true;
  Imposter imposter([&](Request&) {
    bool fails = ++asked == 1 || !mends;
    return fails ? answer(500, R"({"message":"container state improper: stopped"})") : answer(204, "");
  });
  EXPECT_TRUE(imposter.client().remove_container("x"));
  EXPECT_EQ(asked, 2);
  mends = false;
  auto removed = imposter.client().remove_container("x");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().message, "container state improper: stopped");
}

TEST(EngineClient, FindsAnEngineThatWasStartedAgain) {
  Imposter imposter([](Request&) { return answer(200, R"({"Version":"1","ApiVersion":"1"})"); });
  EngineClient client = imposter.client();
  ASSERT_TRUE(client.version());
  imposter.server().destroy();
  EXPECT_EQ(client.version().error().code, ErrorCode::unavailable);
  imposter.server().restart();
  EXPECT_TRUE(client.version());
}

TEST(EngineClient, AnErrorInAStreamIsTheEndOfIt) {
  Imposter imposter([](Request& request) {
    static_cast<void>(request.body->read_all(1 << 20));
    return answer(200, "{\"stream\":\"Step 1\\n\"}\r\n{\"error\":\"no space left on device\"}\r\n");
  });
  std::string output;
  bool first = true;
  TarSource source = [&](char* buffer, size_t) -> Result<size_t> {
    buffer[0] = 'x';
    return std::exchange(first, false) ? 1 : 0;
  };
  auto built = imposter.client().build_image({}, source, [&](std::string_view text) { output += text; }, {});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, ErrorCode::unavailable);
  EXPECT_EQ(output, "Step 1\n");
  auto pushed = imposter.client().push_image("r", "t", {}, [](const TransferProgress&) {}, {});
  EXPECT_EQ(pushed.error().message, "no space left on device");
}

TEST(EngineClient, AStreamWithoutItsResultIsNoSuccess) {
  Imposter imposter([](Request& request) {
    static_cast<void>(request.body->read_all(1 << 20));
    return answer(200, "{\"stream\":\"Step 1\\n\"}\r\n");
  });
  auto built = imposter.client().build_image(
      {}, [](char*, size_t) -> Result<size_t> { return 0; }, [](std::string_view) {}, {});
  EXPECT_EQ(built.error().code, ErrorCode::unavailable);
  auto pushed = imposter.client().push_image("r", "t", {}, [](const TransferProgress&) {}, {});
  EXPECT_EQ(pushed.error().code, ErrorCode::unavailable);
}

TEST(EngineClient, AWordThatIsNoFrameEndsTheLog) {
  Imposter imposter([](Request&) { return answer(200, std::string("\1\0\0\0\0\0\0\5half", 12)); });
  std::string log;
  auto followed = imposter.client().follow_log("x",
                                               [&](std::string_view bytes) -> Result<void> {
                                                 log += bytes;
                                                 return {};
                                               },
                                               {});
  EXPECT_EQ(log, "half");
  EXPECT_EQ(followed.error().code, ErrorCode::unavailable);
  auto stopped = imposter.client().follow_log(
      "x", [&](std::string_view) -> Result<void> { return fail(ErrorCode::internal, "the disk is full"); }, {});
  EXPECT_EQ(stopped.error().message, "the disk is full");
}

TEST(EngineClient, AsksForATagWhereNoneIsGiven) {
  std::map<std::string, std::string, std::less<>> query;
  Imposter imposter([&](Request& request) {
    query = request.target.query;
    return answer(200, "");
  });
  struct Row {
    const char *reference, *repository, *tag;
  };
  for (const Row& row : {Row{"debian", "debian", "latest"}, Row{"r:5000/a/b", "r:5000/a/b", "latest"},
                         Row{"r:5000/a:1", "r:5000/a", "1"}, Row{"a@sha256:12", "a", "sha256:12"}}) {
    ASSERT_TRUE(imposter.client().pull_image(row.reference, "", {}, [](const TransferProgress&) {}, {}));
    EXPECT_EQ(query["fromImage"], row.repository);
    EXPECT_EQ(query["tag"], row.tag);
  }
}

}  // namespace
}  // namespace plz
