#include "engine/engine_settings.h"

#include <fmt/core.h>
#include <unistd.h>

#include "base/text.h"

namespace plz {
namespace {

using Variable = std::function<std::optional<std::string>(const char*)>;

constexpr const char* kDefaultSocket = "/var/run/docker.sock";

std::string value_of(const Variable& variable, const char* name) { return variable(name).value_or(""); }

tl::unexpected<Error> unusable(const std::string& host, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("DOCKER_HOST is {}: {}", printable(host), why),
              "set DOCKER_HOST to unix:///PATH or tcp://HOST:PORT, or unset it for the engine of this machine");
}

Result<Endpoint> tcp_endpoint(const std::string& host, const Variable& variable) {
  bool with_tls = !value_of(variable, "DOCKER_TLS_VERIFY").empty();
  std::string authority = host.substr(host.find("//") + 2);
  size_t after_brackets = authority.find(']');
  bool has_port = authority.find(':', after_brackets == authority.npos ? 0 : after_brackets) != authority.npos;
  if (!has_port) authority += with_tls ? ":2376" : ":2375";
  auto endpoint = parse_endpoint((with_tls ? "https://" : "http://") + authority);
  if (!endpoint) return unusable(host, endpoint.error().message);
  if (!with_tls) return endpoint;
  std::string directory = value_of(variable, "DOCKER_CERT_PATH");
  if (directory.empty()) directory = value_of(variable, "HOME") + "/.docker";
  endpoint->ca_file = directory + "/ca.pem";
  endpoint->certificate_file = directory + "/cert.pem";
  endpoint->key_file = directory + "/key.pem";
  return endpoint;
}

Result<Endpoint> endpoint_of(const std::string& host, const Variable& variable) {
  if (host.starts_with("unix://")) {
    auto endpoint = parse_endpoint("unix:" + host.substr(7));
    if (!endpoint) return unusable(host, "its socket needs an absolute path");
    return endpoint;
  }
  if (host.starts_with("tcp://")) return tcp_endpoint(host, variable);
  if (host.starts_with("ssh://"))
    return unusable(host, "plz does not go through ssh to an engine; run a plz worker on that machine instead");
  return unusable(host, "its form is unknown to plz");
}

EngineSettings at_socket(std::string path, std::string source) {
  return {{.kind = Endpoint::Kind::unix_socket, .path = std::move(path)}, std::move(source)};
}

}  // namespace

Result<EngineSettings> find_engine(const Variable& variable) {
  if (std::string host = value_of(variable, "DOCKER_HOST"); !host.empty()) {
    PLZ_ASSIGN(Endpoint endpoint, endpoint_of(host, variable));
    return EngineSettings{std::move(endpoint), "DOCKER_HOST"};
  }
  std::string runtime_directory = value_of(variable, "XDG_RUNTIME_DIR");
  std::string rootless = runtime_directory + "/docker.sock";
  bool use_rootless =
      !runtime_directory.empty() && access(kDefaultSocket, F_OK) != 0 && access(rootless.c_str(), F_OK) == 0;
  return use_rootless ? at_socket(rootless, "the socket of this user's engine")
                      : at_socket(kDefaultSocket, "the default socket");
}

}  // namespace plz
