#include "net/problem.h"

#include <gtest/gtest.h>

#include "net/status.h"

namespace plz {
namespace {

constexpr ErrorCode kCodes[] = {ErrorCode::invalid, ErrorCode::not_found, ErrorCode::conflict, ErrorCode::unavailable,
                                ErrorCode::timeout, ErrorCode::cancelled, ErrorCode::internal};

TEST(Problem, IsWrittenAsRfc9457Says) {
  Response response = problem_response({ErrorCode::not_found, "there is no \"x\"", "look elsewhere"}, "r-1");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers.find("Content-Type"), "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"code\":\"not_found\","
            "\"detail\":\"there is no \\\"x\\\"\",\"hint\":\"look elsewhere\",\"request_id\":\"r-1\"}\n");
}

TEST(Problem, ComesBackAsItWas) {
  for (ErrorCode code : kCodes) {
    Response sent = problem_response({code, "a message\nof two lines", "a hint"}, "r");
    Error error = error_from_response({sent.status, sent.headers, sent.body});
    EXPECT_EQ(error.code, code);
    EXPECT_EQ(error.message, "a message\nof two lines");
    EXPECT_EQ(error.hint, "a hint");
    EXPECT_EQ(error_code_of_status(http_status(code)), code);
  }
}

TEST(Problem, EscapesWhatIsNotUtf8) {
  Response response = problem_response({ErrorCode::invalid, "name \xff\xc3", "\xed\xa0\x80"}, "\xff");
  EXPECT_NE(response.body.find(R"(name \\xff\\xc3)"), std::string::npos) << response.body;
}

TEST(Problem, MakesSomethingOfAnyResponse) {
  Error page = error_from_response({502, {}, "<html>bad\x1b[31m gateway</html>"});
  EXPECT_EQ(page.code, ErrorCode::unavailable);
  EXPECT_EQ(page.message, "the server answered 502 Bad Gateway: <html>bad\\x1b[31m gateway</html>");
  EXPECT_EQ(error_from_response({404, {}, ""}).message, "the server answered 404 Not Found");
  for (const char* body : {"[]", "{\"detail\":7}", "{\"code\":\"no such code\"}", "{", "\"x\"", "\xff"}) {
    Error error = error_from_response({409, {}, body});
    EXPECT_EQ(error.code, ErrorCode::conflict) << body;
    EXPECT_TRUE(error.message.starts_with("the server answered 409 Conflict")) << error.message;
  }
  EXPECT_EQ(error_from_response({418, {}, ""}).code, ErrorCode::invalid);
  EXPECT_EQ(error_from_response({599, {}, ""}).code, ErrorCode::internal);
}

}  // namespace
}  // namespace plz
