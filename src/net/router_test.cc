#include "net/router.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    add("GET", "/v1/executions");
    add("POST", "/v1/executions");
    add("GET", "/v1/executions/{id}");
    add("GET", "/v1/executions/last");
    add("GET", "/v1/executions/{id}/logs/{part}");
    add("DELETE", "/v1/executions/{id}");
    add("GET", "/");
    add("HEAD", "/v1/blobs/{digest}");
    add("GET", "/v1/blobs/{digest}");
  }
  void add(const std::string& method, const std::string& pattern) {
    router_.add(method, pattern, [=](Request&, const PathParameters& parameters) {
      Response response;
      response.body = method + " " + pattern;
      for (const auto& [name, value] : parameters) response.body += " " + name + "=" + value;
      return response;
    });
  }
  Response handle(std::string method, std::string_view target) {
    Request request{.method = std::move(method), .target = *parse_target(target), .id = "r1"};
    return router_.handle(request);
  }
  Router router_;
};

TEST_F(RouterTest, FindsTheHandler) {
  EXPECT_EQ(handle("GET", "/v1/executions").body, "GET /v1/executions");
  EXPECT_EQ(handle("POST", "/v1/executions?x=1").body, "POST /v1/executions");
  EXPECT_EQ(handle("GET", "/v1/executions/a%20b").body, "GET /v1/executions/{id} id=a b");
  EXPECT_EQ(handle("GET", "/v1/executions/7/logs/8").body, "GET /v1/executions/{id}/logs/{part} id=7 part=8");
  EXPECT_EQ(handle("GET", "/").body, "GET /");
}

TEST_F(RouterTest, PrefersLiteralSegments) {
  EXPECT_EQ(handle("GET", "/v1/executions/last").body, "GET /v1/executions/last");
  EXPECT_EQ(handle("DELETE", "/v1/executions/last").body, "DELETE /v1/executions/{id} id=last");
}

TEST_F(RouterTest, ServesHeadByGetUnlessItHasItsOwn) {
  EXPECT_EQ(handle("HEAD", "/v1/executions").body, "GET /v1/executions");
  EXPECT_EQ(handle("HEAD", "/v1/blobs/1").body, "HEAD /v1/blobs/{digest} digest=1");
  EXPECT_EQ(handle("GET", "/v1/blobs/1").body, "GET /v1/blobs/{digest} digest=1");
}

TEST_F(RouterTest, DoesNotKnowOtherPaths) {
  for (const char* path : {"/v1", "/v1/executions/", "/v1/executions/1/logs", "/v1/executions//logs/1", "//"}) {
    Response response = handle("GET", path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.headers.find("Content-Type"), "application/problem+json");
    EXPECT_NE(response.body.find("\"request_id\":\"r1\""), std::string::npos);
  }
}

TEST_F(RouterTest, NamesTheMethodsThatAPathTakes) {
  Response response = handle("PUT", "/v1/executions/1");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.find("Allow"), "DELETE, GET, HEAD");
  EXPECT_EQ(handle("HEAD", "/v1/nothing").status, 404);
}

}  // namespace
}  // namespace plz
