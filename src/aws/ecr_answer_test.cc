#include "aws/ecr_answer.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace plz {
namespace {

using namespace std::chrono_literals;

const Timestamp kNow = *parse_rfc3339("2026-03-01T12:00:00Z");

std::string token(std::string_view body) {
  auto read = read_ecr_token(body);
  if (!read) return std::string(to_string(read.error().code)) + ": " + read.error().message;
  return read->username + " " + read->password + " " + format_rfc3339(read->expires);
}

TEST(EcrAnswer, HasAToken) {
  EXPECT_EQ(token(R"({"authorizationData": [{"authorizationToken": "QVdTOmE6Yg==", "expiresAt": 1.772366400123E9,
                      "proxyEndpoint": "https://x"}]})"),
            "AWS a:b 2026-03-01T12:00:00.000000Z");
}

TEST(EcrAnswer, MayBeNonsense) {
  EXPECT_EQ(token("<html>").substr(0, 42), "unavailable: ECR's answer cannot be read: ");
  EXPECT_EQ(token(R"({"authorizationData": []})"), "unavailable: ECR's answer has no token");
  for (const char* data :
       {R"("authorizationToken": "!", "expiresAt": 1)", R"("authorizationToken": "QVdT", "expiresAt": 1)",
        R"("authorizationToken": "QVdTOmE6Yg==", "expiresAt": 1e300)",
        R"("authorizationToken": "QVdTOmE6Yg==", "expiresAt": -1)"})
    EXPECT_EQ(token(std::string(R"({"authorizationData": [{)") + data + "}]}"),
              "unavailable: ECR's answer has a token that cannot be read")
        << data;
}

struct Case {
  int status;
  const char* body;
  const char* date;
  ErrorCode code;
  const char* message;
  const char* hint;
};

TEST(EcrAnswer, SaysWhyThereIsNone) {
  const char* const on_time = "Sun, 01 Mar 2026 12:01:00 GMT";
  for (const Case& expected : std::initializer_list<Case>{
           {400, R"({"__type": "ThrottlingException", "message": "Rate exceeded"})", on_time, ErrorCode::unavailable,
            "ThrottlingException: Rate exceeded", ""},
           {400,
            R"({"__type": "com.amazon.coral.service#ExpiredTokenException:http://x/", "Message": "It is expired"})",
            on_time, ErrorCode::invalid, "ExpiredTokenException: It is expired",
            "get new credentials: those of THERE have run out"},
           {400, R"({"__type": "InvalidSignatureException", "message": "m"})", "Sun, 01 Mar 2026 12:10:00 GMT",
            ErrorCode::invalid, "InvalidSignatureException: m",
            "this machine's clock is 10 minutes behind AWS's: set it right"},
           {400, R"({"__type": "InvalidSignatureException", "message": "m"})", on_time, ErrorCode::invalid,
            "InvalidSignatureException: m",
            "look at THERE: the access key, its secret, and the session token that temporary ones have"},
           {400, R"({"__type": "AccessDeniedException", "Message": "m"})", "no date", ErrorCode::invalid,
            "AccessDeniedException: m",
            "let whom the keys belong to do ecr:GetAuthorizationToken; they come from THERE"},
           {503, "<html>\n", on_time, ErrorCode::unavailable, "HTTP status 503: <html>\\x0a", ""},
           {403, "", on_time, ErrorCode::invalid, "HTTP status 403", ""},
       }) {
    Error error = ecr_error({expected.status, expected.body, std::nullopt, expected.date, kNow, "eu-west-1", "THERE"});
    EXPECT_EQ(error.code, expected.code) << expected.body;
    EXPECT_EQ(error.message, std::string("ECR in eu-west-1 gives no token: ") + expected.message);
    EXPECT_EQ(error.hint, expected.hint) << expected.body;
  }
  Error by_field = ecr_error({400, "{}", "Refused:http://x/", std::nullopt, kNow, "r", "s"});
  EXPECT_EQ(by_field.message, "ECR in r gives no token: Refused");
}

}  // namespace
}  // namespace plz
