// One call of Amazon's container registry: GetAuthorizationToken. Source:
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
#pragma once

#include <string>

#include "aws/credentials.h"
#include "base/clock.h"
#include "net/http_client.h"

namespace plz {

struct EcrToken {
  std::string username, password;  // "AWS", and some 2 KiB
  Timestamp expires;               // twelve hours on, as a rule
};

// Thread-safe: each call makes a connection of its own.
class EcrClient {
 public:
  // `credentials` and `clock` outlive it.
  EcrClient(Endpoint endpoint, std::string region, CredentialsProvider& credentials, const Clock& clock)
      : endpoint_(std::move(endpoint)), region_(std::move(region)), credentials_(credentials), clock_(clock) {}

  // Blocks, for some seconds at most where AWS does not answer. invalid: no credentials, or AWS refuses them,
  // in its words, with what to do (a wrong clock is told); unavailable: throttled, or AWS is not to be reached.
  Result<EcrToken> authorization_token();

 private:
  const Endpoint endpoint_;
  const std::string region_;
  CredentialsProvider& credentials_;
  const Clock& clock_;
};

}  // namespace plz
