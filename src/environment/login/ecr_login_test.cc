#include "environment/login/ecr_login.h"

#include <atomic>

#include <gtest/gtest.h>

#include "net/http_server.h"

namespace plz {
namespace {

class FixedKeys final : public CredentialsProvider {
 public:
  Result<std::optional<AwsCredentials>> credentials() override { return AwsCredentials{"a", "b", "", {}, "here"}; }
};

TEST(EcrLogin, IsForRegistriesOfEcrAlone) {
  std::atomic<int> calls{0}, status{200};
  // "AWS:secret", far in the future.
  HttpServer server({}, [&](Request&) -> Response {
    ++calls;
    return {.status = status,
            .body = R"({"authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA==", "expiresAt": 4102444800}]})"};
  });
  const std::string url = "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0).value());
  ASSERT_TRUE(server.start());
  FixedKeys keys;
  FakeClock clock;
  EcrTokens tokens(
      [&](const char* name) { return name == std::string("AWS_ENDPOINT_URL") ? std::optional(url) : std::nullopt; },
      keys, clock);
  EcrLogin login(tokens);
  const std::string ours = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
  auto known = login.credentials_for(ours);
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_EQ(known->server, ours);
  EXPECT_EQ(known->username, "AWS");
  EXPECT_EQ(known->password, "secret");
  auto other = login.credentials_for("registry.example.com:5000");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->server, "registry.example.com:5000");
  EXPECT_EQ(other->username, "");
  EXPECT_EQ(other->password, "");
  EXPECT_EQ(calls, 1);
  status = 500;
  EXPECT_EQ(login.credentials_for("123456789012.dkr.ecr.eu-west-2.amazonaws.com").error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace plz
