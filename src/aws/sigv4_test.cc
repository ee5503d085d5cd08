#include "aws/sigv4.h"

#include <gtest/gtest.h>

#include "os/file.h"
#include "wire/json_reader.h"

namespace plz {
namespace {

struct Pair {
  std::string name, value;
};
struct SignedCase {
  std::string name, service, method, path, token, payload_hash, authorization;
  std::vector<Pair> query, headers;
};
struct SignedCases {
  Timestamp time;
  std::vector<SignedCase> cases;
};

}  // namespace

template <>
struct Shape<Pair> {
  static void members(auto& json, auto& value) {
    json.required("name", value.name);
    json.required("value", value.value);
  }
};
template <>
struct Shape<SignedCase> {
  static void members(auto& json, auto& value) {
    json.required("name", value.name);
    json.required("service", value.service);
    json.required("method", value.method);
    json.required("path", value.path);
    json.required("token", value.token);
    json.required("payload_hash", value.payload_hash);
    json.required("authorization", value.authorization);
    json.required("query", value.query);
    json.required("headers", value.headers);
  }
};
template <>
struct Shape<SignedCases> {
  static void members(auto& json, auto& value) {
    json.required("time", value.time);
    json.required("cases", value.cases);
  }
};

namespace {

using namespace std::chrono_literals;

const AwsCredentials kKeys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", {}, ""};
const Timestamp kTime{std::chrono::sys_days{std::chrono::year(2015) / 8 / 30} + 12h + 36min};
const AwsService kPlain{"service"};
const AwsService kUnnormalised{"service", false, true, false};

std::string find(const AwsPairs& headers, std::string_view name) {
  for (const auto& [known, value] : headers)
    if (known == name) return value;
  return "";
}

std::string signature(const AwsPairs& headers) {
  std::string authorization = find(headers, "Authorization");
  return authorization.substr(authorization.rfind('=') + 1);
}

// AWS's published vectors of version 4, by their names there; all of example.amazonaws.com in us-east-1.
// Not get-header-value-multiline: HTTP has no folded fields any more, and AWS's own programs disagree.
struct Vector {
  const char* name;
  const char* method;
  const char* path;
  AwsPairs query;
  AwsPairs headers;
  const char* body;
  const char* signature;
  AwsService service = kPlain;
  const char* token = "";
};

const std::string kUnreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const char* const kVanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
const char* const kBodyHash = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all = {
      {"get-vanilla", "GET", "/", {}, {}, "", kVanilla},
      {"get-header-key-duplicate",
       "GET",
       "/",
       {},
       {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
       "",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-trim",
       "GET",
       "/",
       {},
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"get-header-value-order",
       "GET",
       "/",
       {},
       {{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}},
       "",
       "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
      {"get-utf8", "GET", "/\u1234", {}, {}, "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-unreserved",
       "GET",
       "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       {},
       {},
       "",
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-space-normalized",
       "GET",
       "/example space/",
       {},
       {},
       "",
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"get-space-unnormalized",
       "GET",
       "/example space/",
       {},
       {},
       "",
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
       kUnnormalised},
      {"get-slashes-normalized",
       "GET",
       "//example//",
       {},
       {},
       "",
       "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
      {"get-slashes-unnormalized",
       "GET",
       "//example//",
       {},
       {},
       "",
       "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
       kUnnormalised},
      {"get-relative-relative-normalized", "GET", "/example1/example2/../..", {}, {}, "", kVanilla},
      {"get-relative-relative-unnormalized",
       "GET",
       "/example1/example2/../..",
       {},
       {},
       "",
       "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b",
       kUnnormalised},
      {"get-slash-dot-slash-normalized", "GET", "/./", {}, {}, "", kVanilla},
      {"get-slash-dot-slash-unnormalized",
       "GET",
       "/./",
       {},
       {},
       "",
       "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145",
       kUnnormalised},
      {"get-slash-pointless-dot-normalized",
       "GET",
       "/./example",
       {},
       {},
       "",
       "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
      {"get-vanilla-empty-query-key",
       "GET",
       "/",
       {{"Param1", "value1"}},
       {},
       "",
       "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
      {"get-vanilla-query-order-encoded",
       "GET",
       "/",
       {{"Param-3", "Value3"}, {"Param", "Value2"}, {"\u1234", "Value1"}},
       {},
       "",
       "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
      {"get-vanilla-query-order-key-case",
       "GET",
       "/",
       {{"Param2", "value2"}, {"Param1", "value1"}},
       {},
       "",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-query-unreserved",
       "GET",
       "/",
       {{kUnreserved, kUnreserved}},
       {},
       "",
       "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
      {"get-vanilla-utf8-query",
       "GET",
       "/",
       {{"\u1234", "bar"}},
       {},
       "",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"get-vanilla-with-session-token",
       "GET",
       "/",
       {},
       {},
       "",
       "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
       kPlain,
       "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"},
      {"post-vanilla", "POST", "/", {}, {}, "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-vanilla-query",
       "POST",
       "/",
       {{"Param1", "value1"}},
       {},
       "",
       "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
      {"post-header-key-sort",
       "POST",
       "/",
       {},
       {{"My-Header1", "value1"}},
       "",
       "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
      {"post-header-value-case",
       "POST",
       "/",
       {},
       {{"My-Header1", "VALUE1"}},
       "",
       "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
      {"post-x-www-form-urlencoded",
       "POST",
       "/",
       {},
       {{"Content-Type", "application/x-www-form-urlencoded"},
        {"Content-Length", "13"},
        {"x-amz-content-sha256", kBodyHash}},
       "Param1=value1",
       "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
      {"post-x-www-form-urlencoded-parameters",
       "POST",
       "/",
       {},
       {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
        {"Content-Length", "13"},
        {"x-amz-content-sha256", kBodyHash}},
       "Param1=value1",
       "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
  };
  return all;
}

TEST(SigV4, AgreesWithThePublishedVectors) {
  for (const auto& vector : vectors()) {
    AwsRequest request{vector.method, vector.path, vector.query, vector.headers, sha256_hex(vector.body)};
    request.headers.emplace_back("Host", "example.amazonaws.com");
    AwsCredentials keys = kKeys;
    keys.session_token = vector.token;
    auto added = sign_aws_request(request, vector.service, "us-east-1", keys, kTime);
    EXPECT_EQ(signature(added), vector.signature) << vector.name;
    EXPECT_EQ(find(added, "X-Amz-Date"), "20150830T123600Z");
    EXPECT_EQ(find(added, "X-Amz-Security-Token"), vector.token);
  }
}

// From "Authenticating Requests: Using the Authorization Header" of the S3 API reference.
TEST(SigV4, AgreesWithTheExamplesOfS3) {
  const AwsCredentials keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", {}, ""};
  const Timestamp time{std::chrono::sys_days{std::chrono::year(2013) / 5 / 24}};
  const std::pair<std::string, std::string> host{"Host", "examplebucket.s3.amazonaws.com"};
  auto sign = [&](const AwsRequest& request) {
    return signature(sign_aws_request(request, aws_s3(), "us-east-1", keys, time));
  };
  EXPECT_EQ(sign({"GET", "/test.txt", {}, {host, {"Range", "bytes=0-9"}}, sha256_hex("")}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(sign({"PUT",
                  "/test%24file.text",
                  {},
                  {host, {"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                  sha256_hex("Welcome to Amazon S3.")}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(sign({"GET", "/", {{"lifecycle", ""}}, {host}, sha256_hex("")}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(sign({"GET", "/", {{"max-keys", "2"}, {"prefix", "J"}}, {host}, sha256_hex("")}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

AwsPairs pairs_of(const std::vector<Pair>& pairs) {
  AwsPairs result;
  for (const auto& [name, value] : pairs) result.emplace_back(name, value);
  return result;
}

TEST(SigV4, AgreesWithBotocore) {
  auto text = read_file(PLZ_AWS_TESTDATA "/signatures.json");
  ASSERT_TRUE(text) << text.error().message;
  auto golden = read_document<SignedCases>(*text);
  ASSERT_TRUE(golden) << golden.error().message;
  EXPECT_GT(golden->cases.size(), 20u);
  for (const auto& expected : golden->cases) {
    AwsRequest request{expected.method, expected.path, pairs_of(expected.query), pairs_of(expected.headers),
                       expected.payload_hash};
    AwsCredentials keys = kKeys;
    keys.session_token = expected.token;
    AwsService service = expected.service == "s3" ? aws_s3() : AwsService{expected.service};
    auto added = sign_aws_request(request, service, "eu-west-1", keys, golden->time);
    EXPECT_EQ(find(added, "Authorization"), expected.authorization) << expected.name;
  }
}

TEST(SigV4, SaysWhatItSigned) {
  AwsRequest request{"POST", "/", {}, {{"Host", "h"}, {"B", "1"}, {"a", "2"}}, std::string(kUnsignedPayload)};
  auto added = sign_aws_request(request, aws_s3(), "eu-west-1", kKeys, kTime);
  EXPECT_TRUE(find(added, "Authorization")
                  .starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/s3/aws4_request, "
                               "SignedHeaders=a;b;host;x-amz-content-sha256;x-amz-date, Signature="));
  EXPECT_EQ(find(added, "X-Amz-Content-Sha256"), "UNSIGNED-PAYLOAD");
}

}  // namespace
}  // namespace plz
