// Credentials of AWS, from the places where AWS's own tools look.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace plz {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;     // never in a message
  std::string session_token;         // of temporary ones; else empty
  std::optional<Timestamp> expires;  // nullopt: as far as is known, never
  std::string source;                // "AWS_ACCESS_KEY_ID", "the profile ada of /home/ada/.aws/credentials"
};

// Thread-safe.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  // nullopt: this place has none. May block on a network for some seconds. invalid: what is there cannot
  // be used, with what to do; unavailable: a service that should have them did not give them.
  virtual Result<std::optional<AwsCredentials>> credentials() = 0;
};

}  // namespace plz
