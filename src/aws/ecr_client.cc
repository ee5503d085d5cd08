#include "aws/ecr_client.h"

#include <fmt/core.h>

#include "aws/ecr_answer.h"
#include "aws/sigv4.h"

namespace plz {
namespace {

using namespace std::chrono_literals;

constexpr ClientSettings kPatience{.connect_timeout = 5s, .stall_timeout = 10s};
constexpr std::string_view kBody = "{}";

ClientRequest signed_request(const Endpoint& endpoint, const std::string& region, const AwsCredentials& keys,
                             Timestamp now) {
  AwsPairs fields{{"Content-Type", "application/x-amz-json-1.1"},
                  {"X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"}};
  AwsRequest to_sign{"POST", "/", {}, fields, sha256_hex(kBody)};
  to_sign.headers.emplace_back("Host", endpoint.authority());
  ClientRequest request{.method = "POST", .target = "/", .body = kBody};
  for (auto& [name, value] : fields) request.headers.add(name, value);
  for (auto& [name, value] : sign_aws_request(to_sign, AwsService{"ecr"}, region, keys, now))
    request.headers.add(name, value);
  return request;
}

}  // namespace

Result<EcrToken> EcrClient::authorization_token() {
  PLZ_ASSIGN(auto keys, credentials_.credentials());
  if (!keys)
    return fail(ErrorCode::invalid, "there are no AWS credentials to log in to ECR with",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE with ~/.aws/credentials, or give the "
                "instance a role");
  Timestamp now = clock_.now();
  HttpClient client(endpoint_, kPatience);
  auto response = client.call(signed_request(endpoint_, region_, *keys, now));
  if (!response) return fail(std::move(response).error().with_context("logging in to ECR in " + region_));
  if (response->status == 200) return read_ecr_token(response->body);
  return fail(ecr_error({response->status, response->body, response->headers.find("X-Amzn-ErrorType"),
                         response->headers.find("Date"), now, region_, keys->source}));
}

}  // namespace plz
