// Docker's own configuration file, as far as it is about credentials. Source of the format: "docker login",
// https://docs.docker.com/reference/cli/docker/login/#credential-stores, and the docker CLI's cli/config.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/engine_client.h"

namespace plz {

struct DockerConfig {
  std::map<std::string, RegistryCredentials> auths;  // by host, "host:5000"; Docker Hub is "docker.io"
  std::string store;                                 // docker-credential-STORE knows the others
  std::map<std::string, std::string> helpers;        // by host: the program's suffix
  // The program to ask about this server, without docker-credential-; "": none.
  std::string helper_for(const std::string& server) const;
};

// invalid, with line and column: not JSON, or an entry of the wrong type.
Result<DockerConfig> parse_docker_config(std::string_view text);

// What a credential program answered to `get`.
Result<RegistryCredentials> parse_helper_answer(std::string_view json, const std::string& server);

// How the server is called in the file and to programs: Docker Hub has a name of its own.
std::string docker_config_key(const std::string& server);

}  // namespace plz
