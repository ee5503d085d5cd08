// What `docker login` has left behind.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "environment/registry_login.h"

namespace plz {

// Reads config.json for each question, so that a login meanwhile counts. credHelpers and credsStore are asked by
// running docker-credential-NAME, found in the PATH of `environment`, which is also what they run in; one that
// knows nothing of the server leaves the word to "auths". An absent file is no login.
class DockerConfigLogin final : public RegistryLogin {
 public:
  DockerConfigLogin(std::string directory, std::vector<std::string> environment,
                    std::chrono::milliseconds patience = std::chrono::seconds(30));
  Result<RegistryCredentials> credentials_for(const std::string& server) override;

 private:
  Result<RegistryCredentials> ask_helper(const std::string& helper, const std::string& server) const;

  const std::string directory_;
  const std::vector<std::string> environment_;
  const std::chrono::milliseconds patience_;
};

}  // namespace plz
