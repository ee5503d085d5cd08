// Pulls and pushes through the engine, with credentials, patience and progress.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "engine/engine_client.h"
#include "environment/environments.h"
#include "environment/registry_login.h"

namespace plz {

// Thread-safe. Errors of registries that may pass are tried again, a few times; `unavailable` is what is left of them.
class ImageTransfers {
 public:
  // All outlive this.
  ImageTransfers(EngineClient& engine, RegistryLogin& login, const Clock& clock, BackoffSettings pauses)
      : engine_(engine), login_(login), clock_(clock), pauses_(pauses) {}

  // The image of that name if it is there (for that platform), else pulled. invalid: there is none, or it is refused.
  Result<ImageDetails> find_or_pull(const std::string& name, const std::string& platform, const Say& say,
                                    std::stop_token stop);
  // Pulls, also where it is there. not_found: the registry has no such image.
  Result<ImageDetails> pull(const std::string& name, const std::string& platform, const Say& say, std::stop_token stop);
  // What the registries of these images are to be told by the engine itself, by server; anonymous ones are left out.
  std::map<std::string, RegistryCredentials> credentials_for(const std::vector<std::string>& names);
  // Returns "repository@sha256:…".
  Result<std::string> push(const std::string& repository, const std::string& tag, const Say& say, std::stop_token stop);

 private:
  Result<void> persist(const std::string& what, const Say& say, const std::stop_token& stop,
                       const std::function<Result<void>()>& attempt);

  EngineClient& engine_;
  RegistryLogin& login_;
  const Clock& clock_;
  const BackoffSettings pauses_;
};

}  // namespace plz
