// Credentials for registries.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine_client.h"

namespace plz {

// Thread-safe.
class RegistryLogin {
 public:
  virtual ~RegistryLogin() = default;
  // `server` as in an image's name, "registry.example:5000"; Docker Hub is "docker.io". Where none are known,
  // credentials without name and token: anonymous. They are asked for anew for each pull or push, so that tokens
  // that run out are no concern of the caller. May block for as long as a credential program or a cloud takes.
  // invalid: what is configured cannot be used; unavailable: who should know does not answer.
  virtual Result<RegistryCredentials> credentials_for(const std::string& server) = 0;
};

inline bool is_anonymous(const RegistryCredentials& credentials) {
  return credentials.username.empty() && credentials.password.empty() && credentials.identity_token.empty();
}

// The first of several that knows the server; they outlive this.
class FirstLogin final : public RegistryLogin {
 public:
  explicit FirstLogin(std::vector<RegistryLogin*> logins) : logins_(std::move(logins)) {}
  Result<RegistryCredentials> credentials_for(const std::string& server) override {
    for (RegistryLogin* login : logins_) {
      PLZ_ASSIGN(RegistryCredentials credentials, login->credentials_for(server));
      if (!is_anonymous(credentials)) return credentials;
    }
    return RegistryCredentials{.server = server};
  }

 private:
  const std::vector<RegistryLogin*> logins_;
};

}  // namespace plz
