// Where the Docker engine is, found as Docker's own command finds it.
#pragma once

#include <string>

#include "base/result.h"
#include "base/variables.h"
#include "net/http_client.h"

namespace plz {

struct EngineSettings {
  Endpoint endpoint;
  std::string source;  // "DOCKER_HOST", "Docker's context far", "the default socket": for messages
};

// `variable` reads the environment. DOCKER_HOST is unix:///path or tcp://host[:port]; with DOCKER_TLS_VERIFY, TLS with
// ca.pem, cert.pem and key.pem of DOCKER_CERT_PATH (default ~/.docker). Without DOCKER_HOST: the context that is chosen
// (docker_context.h); without one, /var/run/docker.sock, else $XDG_RUNTIME_DIR/docker.sock (rootless), whichever is
// there. invalid: what is said there cannot be used (ssh://, npipe://), with what to do.
Result<EngineSettings> find_engine(const Variables& variable);

}  // namespace plz
