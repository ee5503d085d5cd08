// Contexts of Docker's own command: engines by name. Source of the format: cli/context/store of github.com/docker/cli.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/variables.h"

namespace plz {

struct DockerContext {
  std::string name;
  std::string host;           // "unix:///path", "tcp://host:port", as in DOCKER_HOST
  std::string tls_directory;  // with ca.pem, cert.pem and key.pem, as far as they are there; "": no TLS
};

// That of DOCKER_CONTEXT, else the one that config.json of $DOCKER_CONFIG, else of ~/.docker, calls current. nullopt:
// none is chosen, or the one called default. invalid: there is no such context, or a file is damaged.
Result<std::optional<DockerContext>> chosen_docker_context(const Variables& variable);

// Where Docker's configuration is: $DOCKER_CONFIG, else ~/.docker. "": there is no home.
std::string docker_config_directory(const Variables& variable);

}  // namespace plz
