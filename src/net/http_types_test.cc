#include "net/http_types.h"

#include <cstring>

#include <gtest/gtest.h>

#include "net/http_client.h"

namespace plz {
namespace {

TEST(Headers, AreFoundWithoutCase) {
  Headers headers;
  headers.add("Content-Type", "a");
  headers.add("content-type", "b");
  EXPECT_EQ(headers.find("CONTENT-TYPE"), "a");
  EXPECT_EQ(headers.find("Content"), std::nullopt);
}

TEST(Target, IsTakenApart) {
  auto target = parse_target("/v1/executions/a%20b%2Fc/logs?since=0&name=x%3Dy+z&flag&empty=");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/v1/executions/a b/c/logs");
  std::map<std::string, std::string, std::less<>> expected{
      {"since", "0"}, {"name", "x=y z"}, {"flag", ""}, {"empty", ""}};
  EXPECT_EQ(target->query, expected);
}

TEST(Target, TakesBytesThatAreNotUtf8) {
  EXPECT_EQ(parse_target("/%ff%0a")->path, "/\xff\n");
  EXPECT_EQ(parse_target("/a+b")->path, "/a+b");
}

TEST(Target, RefusesWhatIsNone) {
  for (const char* wrong : {"", "a", "*", "http://host/a", "/%", "/%4", "/%zz", "/%00", "/a b", "/a#b", "/\xc3\xa9",
                            "/a\nb", "/a?b=%g1", "/a?b=1&b=2", "/a?%=1"}) {
    auto target = parse_target(wrong);
    ASSERT_FALSE(target) << wrong;
    EXPECT_EQ(target.error().code, ErrorCode::invalid) << wrong;
  }
}

TEST(PercentEncode, SurvivesTheWayThere) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  auto target = parse_target("/" + percent_encode(all) + "?k=" + percent_encode(all));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/" + all);
  EXPECT_EQ(target->query["k"], all);
  EXPECT_EQ(percent_encode("aZ0-._~/ "), "aZ0-._~%2F%20");
}

class StringBody final : public BodyReader {
 public:
  explicit StringBody(std::string text) : text_(std::move(text)) {}
  Result<size_t> read(void* buffer, size_t size) override {
    size_t n = std::min({size, text_.size(), size_t{7}});
    memcpy(buffer, text_.data(), n);
    text_.erase(0, n);
    return n;
  }

 private:
  std::string text_;
};

TEST(BodyReader, ReadsAllUpToALimit) {
  std::string text(100, 'x');
  EXPECT_EQ(*StringBody(text).read_all(100), text);
  EXPECT_EQ(*StringBody("").read_all(0), "");
  auto too_much = StringBody(text).read_all(99);
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().code, ErrorCode::invalid);
}

TEST(Endpoint, IsReadAndWritten) {
  for (const char* text : {"unix:/run/user/0/plz/controller.sock", "http://localhost:8080",
                           "https://plz.example.org:443", "http://[::1]:80"}) {
    auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->to_string(), text);
  }
  EXPECT_EQ(parse_endpoint("http://h")->port, 80);
  EXPECT_EQ(parse_endpoint("https://h/")->port, 443);
  EXPECT_EQ(parse_endpoint("http://[::1]")->host, "::1");
  EXPECT_EQ(parse_endpoint("http://h")->authority(), "h");
  EXPECT_EQ(parse_endpoint("https://h")->authority(), "h");
  EXPECT_EQ(parse_endpoint("https://h:80")->authority(), "h:80");
  EXPECT_EQ(parse_endpoint("http://[::1]:8080")->authority(), "[::1]:8080");
  EXPECT_EQ(parse_endpoint("unix:/s")->authority(), "localhost");
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* wrong : {"", "unix:", "unix:relative", "http://", "http://:80", "http://h:0", "http://h:65536",
                            "http://h:8x", "http://h:", "http://h h", "http://h/path", "http://[::1", "http://[]",
                            "http://[::1]80", "http://a:b@c", "ftp://h", "h:80"}) {
    auto endpoint = parse_endpoint(wrong);
    ASSERT_FALSE(endpoint) << wrong;
    EXPECT_EQ(endpoint.error().code, ErrorCode::invalid) << wrong;
    EXPECT_FALSE(endpoint.error().hint.empty()) << wrong;
  }
}

}  // namespace
}  // namespace plz
