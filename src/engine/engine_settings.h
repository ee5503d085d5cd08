// Where the Docker engine is, found as Docker's own command finds it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/http_client.h"

namespace plz {

struct EngineSettings {
  Endpoint endpoint;
  std::string source;  // "DOCKER_HOST", or "the default socket": for messages
};

// `variable` reads the environment. DOCKER_HOST is unix:///path or tcp://host[:port]; with
// DOCKER_TLS_VERIFY, TLS with ca.pem, cert.pem and key.pem of DOCKER_CERT_PATH (default ~/.docker). Without
// DOCKER_HOST: /var/run/docker.sock, else $XDG_RUNTIME_DIR/docker.sock (rootless), whichever is there.
// invalid: a DOCKER_HOST that cannot be used (ssh://, npipe://), with what to do.
Result<EngineSettings> find_engine(const std::function<std::optional<std::string>(const char*)>& variable);

}  // namespace plz
