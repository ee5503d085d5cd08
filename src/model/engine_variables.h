// Of a shell's environment, what says which container engine it uses, and how that logs in to registries. A job in a
// container sees none of it.
#pragma once

#include <algorithm>
#include <string_view>

namespace plz {

inline constexpr std::string_view kEngineVariables[] = {"DOCKER_HOST",   "DOCKER_CONTEXT",    "DOCKER_CERT_PATH",
                                                        "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "HOME",
                                                        "PATH",          "XDG_RUNTIME_DIR"};

inline bool is_engine_variable(std::string_view name) {
  return std::find(std::begin(kEngineVariables), std::end(kEngineVariables), name) != std::end(kEngineVariables);
}

}  // namespace plz
