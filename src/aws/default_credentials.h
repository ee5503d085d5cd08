// Where credentials are looked for, in AWS's order.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "aws/credentials.h"
#include "aws/local_credentials.h"

namespace plz {

// The first of several that has some. An error of one ends the search: it was asked for.
class FirstCredentials final : public CredentialsProvider {
 public:
  explicit FirstCredentials(std::vector<std::unique_ptr<CredentialsProvider>> providers)
      : providers_(std::move(providers)) {}
  Result<std::optional<AwsCredentials>> credentials() override;

 private:
  const std::vector<std::unique_ptr<CredentialsProvider>> providers_;
};

// Keeps temporary credentials until five minutes before their end, and, if no new ones are to be had,
// until the end itself. Others are asked for each time.
class KeptCredentials final : public CredentialsProvider {
 public:
  KeptCredentials(std::unique_ptr<CredentialsProvider> provider, const Clock& clock)
      : provider_(std::move(provider)), clock_(clock) {}
  Result<std::optional<AwsCredentials>> credentials() override;

 private:
  std::optional<AwsCredentials> kept_for(std::chrono::seconds time);

  const std::unique_ptr<CredentialsProvider> provider_;
  const Clock& clock_;
  std::mutex mutex_;
  std::optional<AwsCredentials> kept_;
};

// The environment, the profile, the container's service, the instance's. `clock` outlives it.
std::unique_ptr<CredentialsProvider> default_aws_credentials(const Variables& variable, const Clock& clock);

}  // namespace plz
