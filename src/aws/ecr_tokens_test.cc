#include "aws/ecr_tokens.h"

#include <atomic>
#include <functional>
#include <latch>
#include <semaphore>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "net/http_server.h"

namespace plz {
namespace {

using namespace std::chrono_literals;

constexpr const char* kHost = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

std::string api_of(std::string_view host) {
  auto parsed = parse_ecr_host(host);
  return parsed ? parsed->account + " " + parsed->region + " " + parsed->api_host : "";
}

TEST(EcrHost, IsKnownByItsName) {
  EXPECT_EQ(api_of(kHost), "123456789012 eu-west-1 api.ecr.eu-west-1.amazonaws.com");
  EXPECT_EQ(api_of("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"),
            "123456789012 cn-north-1 api.ecr.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(api_of("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"),
            "123456789012 us-east-1 ecr-fips.us-east-1.amazonaws.com");
  for (const char* other :
       {"", "docker.io", "public.ecr.aws", "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
        "12345678901x.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil",
        "123456789012.dkr.ecr..amazonaws.com", "123456789012.dkr.ecr.eu/west.amazonaws.com",
        "x.123456789012.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.example.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443"})
    EXPECT_EQ(api_of(other), "") << other;
}

class FixedKeys final : public CredentialsProvider {
 public:
  Result<std::optional<AwsCredentials>> credentials() override { return AwsCredentials{"a", "b", "", {}, "here"}; }
};

class EcrTokensTest : public testing::Test {
 protected:
  EcrTokensTest() : server_({}, [this](Request&) { return answer(); }) {
    std::string url = "http://127.0.0.1:" + std::to_string(server_.listen_tcp("127.0.0.1", 0).value());
    EXPECT_TRUE(server_.start());
    tokens_.emplace(
        [url](const char* name) {
          return name == std::string_view("AWS_ENDPOINT_URL") ? std::optional(url) : std::nullopt;
        },
        keys_, clock_);
  }

  Response answer() {
    int number = ++calls_;
    if (before_answer_) before_answer_();
    if (failing_) return {.status = 500};
    auto end = std::chrono::duration_cast<std::chrono::seconds>((clock_.now() + 12h).time_since_epoch()).count();
    return {.body = fmt::format(R"({{"authorizationData": [{{"authorizationToken": "{}", "expiresAt": {}}}]}})",
                                base64(fmt::format("AWS:{}", number)), end)};
  }
  std::string password(const char* host = kHost) {
    auto token = tokens_->token_for(host);
    return token ? (*token ? (*token)->password : "none") : std::string(to_string(token.error().code));
  }

  FakeClock clock_;
  FixedKeys keys_;
  std::atomic<int> calls_{0};
  std::atomic<bool> failing_{false};
  std::function<void()> before_answer_;
  HttpServer server_;
  std::optional<EcrTokens> tokens_;
};

TEST_F(EcrTokensTest, KeepsOneForEachRegion) {
  EXPECT_EQ(password(), "1");
  EXPECT_EQ(password("999999999999.dkr.ecr.eu-west-1.amazonaws.com"), "1");
  EXPECT_EQ(password("123456789012.dkr.ecr.eu-west-2.amazonaws.com"), "2");
  EXPECT_EQ(password("docker.io"), "none");
  EXPECT_EQ(calls_, 2);
}

TEST_F(EcrTokensTest, GetsANewOneShortlyBeforeTheEnd) {
  EXPECT_EQ(password(), "1");
  clock_.advance(11h + 44min);
  EXPECT_EQ(password(), "1");
  clock_.advance(1min);
  EXPECT_EQ(password(), "2");
}

TEST_F(EcrTokensTest, DoesNotKeepErrors) {
  failing_ = true;
  EXPECT_EQ(password(), "unavailable");
  failing_ = false;
  EXPECT_EQ(password(), "2");
}

TEST_F(EcrTokensTest, SeveralWaitForOneCall) {
  std::counting_semaphore<> go(0);
  std::latch asking(8);
  before_answer_ = [&] { go.acquire(); };
  std::vector<std::string> got(8);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : got)
      threads.emplace_back([&] {
        asking.count_down();
        mine = password();
      });
    asking.wait();
    go.release(8);
  }
  EXPECT_EQ(got, std::vector<std::string>(8, "1"));
  EXPECT_EQ(calls_, 1);
}

}  // namespace
}  // namespace plz
