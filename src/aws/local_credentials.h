// Credentials that lie on this machine: in the environment, and in AWS's own files.
#pragma once

#include "aws/credentials.h"
#include "base/variables.h"

namespace plz {

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION.
class EnvironmentCredentials final : public CredentialsProvider {
 public:
  explicit EnvironmentCredentials(Variables variable) : variable_(std::move(variable)) {}
  Result<std::optional<AwsCredentials>> credentials() override;

 private:
  const Variables variable_;
};

// The profile AWS_PROFILE, else "default", of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), then of
// AWS_CONFIG_FILE (~/.aws/config). The files are read each time: they may change. A profile that gets its
// keys in another way (single sign-on, a role, a program) is invalid, with what to do.
class ProfileCredentials final : public CredentialsProvider {
 public:
  explicit ProfileCredentials(Variables variable) : variable_(std::move(variable)) {}
  Result<std::optional<AwsCredentials>> credentials() override;

 private:
  const Variables variable_;
};

// AWS_REGION, AWS_DEFAULT_REGION, else the profile's. nullopt: nowhere.
Result<std::optional<std::string>> find_aws_region(const Variables& variable);

}  // namespace plz
