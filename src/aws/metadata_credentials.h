// Temporary credentials from the services that containers (ECS, EKS) and instances (EC2) have beside them.
// Sources: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html and
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html (version 2 only).
#pragma once

#include "aws/credentials.h"
#include "aws/local_credentials.h"

namespace plz {

// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, with AWS_CONTAINER_AUTHORIZATION_TOKEN(_FILE).
// Without TLS it asks only hosts that are on this machine or on its link.
class ContainerCredentials final : public CredentialsProvider {
 public:
  explicit ContainerCredentials(Variables variable) : variable_(std::move(variable)) {}
  Result<std::optional<AwsCredentials>> credentials() override;

 private:
  const Variables variable_;
};

// The role of the instance. nullopt also where nobody answers within a second: not an instance.
// AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT and AWS_METADATA_SERVICE_TIMEOUT (whole seconds) are
// heeded.
class InstanceCredentials final : public CredentialsProvider {
 public:
  explicit InstanceCredentials(Variables variable) : variable_(std::move(variable)) {}
  Result<std::optional<AwsCredentials>> credentials() override;

 private:
  const Variables variable_;
};

}  // namespace plz
