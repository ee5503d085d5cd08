// ECR's login as one among others.
#pragma once

#include <string>

#include "aws/ecr_tokens.h"
#include "environment/registry_login.h"

namespace plz {

// Anonymous for whatever is not a registry of ECR. `tokens` outlives it.
class EcrLogin final : public RegistryLogin {
 public:
  explicit EcrLogin(EcrTokens& tokens) : tokens_(tokens) {}
  Result<RegistryCredentials> credentials_for(const std::string& server) override {
    PLZ_ASSIGN(auto token, tokens_.token_for(server));
    if (!token) return RegistryCredentials{.server = server};
    return RegistryCredentials{.server = server, .username = token->username, .password = token->password};
  }

 private:
  EcrTokens& tokens_;
};

}  // namespace plz
