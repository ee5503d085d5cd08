// AWS Signature Version 4, in the header of a request. Pure: no network, no clock, no environment.
// Source: "Signing AWS API requests", https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "base/clock.h"

namespace plz {

// Pairs of name and value, decoded, in any order; names may repeat.
using AwsPairs = std::vector<std::pair<std::string, std::string>>;

struct AwsRequest {
  std::string method;
  std::string path;          // as it is sent
  AwsPairs query;            // sent as aws_query() writes it, or in another order
  AwsPairs headers;          // all of these are signed, Host must be among them; none that a proxy may change
  std::string payload_hash;  // sha256_hex() of the body, or kUnsignedPayload
};

// How a service wants to be signed. Most are as the default.
struct AwsService {
  std::string name;             // "ecr"
  bool normalise_path = true;   // "." and ".." resolved, slashes merged
  bool encode_path = true;      // the path, encoded as it is, is encoded once more
  bool payload_header = false;  // x-amz-content-sha256 is sent and signed
};
inline AwsService aws_s3() { return {"s3", false, false, true}; }

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// The headers to add to those of the request: X-Amz-Date, Authorization, and as needed
// X-Amz-Security-Token and X-Amz-Content-Sha256.
AwsPairs sign_aws_request(const AwsRequest& request, const AwsService& service, std::string_view region,
                          const AwsCredentials& credentials, Timestamp now);

// "a=1&b=%20", sorted and encoded as it is signed.
std::string aws_query(const AwsPairs& query);
// All but A-Z, a-z, 0-9, "-._~" as %XX, and also the slash unless told to keep it.
std::string aws_encode(std::string_view text, bool keep_slash = false);
std::string sha256_hex(std::string_view bytes);

}  // namespace plz
