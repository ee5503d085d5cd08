#include "aws/default_credentials.h"

#include "aws/metadata_credentials.h"

namespace plz {

using namespace std::chrono_literals;

Result<std::optional<AwsCredentials>> FirstCredentials::credentials() {
  for (const auto& provider : providers_) {
    PLZ_ASSIGN(auto found, provider->credentials());
    if (found) return found;
  }
  return std::nullopt;
}

std::optional<AwsCredentials> KeptCredentials::kept_for(std::chrono::seconds time) {
  std::lock_guard lock(mutex_);
  if (!kept_ || *kept_->expires - clock_.now() <= time) return std::nullopt;
  return kept_;
}

Result<std::optional<AwsCredentials>> KeptCredentials::credentials() {
  if (auto kept = kept_for(5min)) return kept;
  auto found = provider_->credentials();
  if (!found) {
    if (auto kept = kept_for(0s)) return kept;
    return found;
  }
  std::lock_guard lock(mutex_);
  kept_.reset();
  if (*found && (*found)->expires) kept_ = *found;
  return found;
}

std::unique_ptr<CredentialsProvider> default_aws_credentials(const Variables& variable, const Clock& clock) {
  std::vector<std::unique_ptr<CredentialsProvider>> providers;
  providers.push_back(std::make_unique<EnvironmentCredentials>(variable));
  providers.push_back(std::make_unique<ProfileCredentials>(variable));
  providers.push_back(std::make_unique<KeptCredentials>(std::make_unique<ContainerCredentials>(variable), clock));
  providers.push_back(std::make_unique<KeptCredentials>(std::make_unique<InstanceCredentials>(variable), clock));
  return std::make_unique<FirstCredentials>(std::move(providers));
}

}  // namespace plz
