// Tokens for registries of ECR, kept until shortly before their end.
#pragma once

#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "aws/ecr_client.h"
#include "aws/local_credentials.h"

namespace plz {

// ACCOUNT.dkr.ecr.REGION.amazonaws.com, also with ecr-fips, and with .cn.
struct EcrHost {
  std::string account, region;
  std::string api_host;  // "api.ecr.eu-west-1.amazonaws.com"
};
std::optional<EcrHost> parse_ecr_host(std::string_view host);

// Thread-safe. A token opens all registries of a region that its keys may use, so one is kept for each region.
class EcrTokens {
 public:
  // AWS_ENDPOINT_URL_ECR and AWS_ENDPOINT_URL stand in for AWS's own address. Both references outlive it.
  EcrTokens(Variables variable, CredentialsProvider& credentials, const Clock& clock)
      : variable_(std::move(variable)), credentials_(credentials), clock_(clock) {}

  // nullopt: not a registry of ECR. Several that want the same one wait for one call, and share its error too;
  // errors are not kept. See EcrClient for what they say.
  Result<std::optional<EcrToken>> token_for(std::string_view host);

 private:
  using Answer = std::shared_future<Result<EcrToken>>;
  bool is_usable(const Answer& answer) const;
  Result<EcrToken> fetch(const EcrHost& host);

  const Variables variable_;
  CredentialsProvider& credentials_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;  // by api_host; also those under way
};

}  // namespace plz
