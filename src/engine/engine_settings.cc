#include "engine/engine_settings.h"

#include <fmt/core.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/docker_context.h"

namespace plz {
namespace {

constexpr const char* kDefaultSocket = "/var/run/docker.sock";

// Who says where the engine is, and with which certificates, if any.
struct Host {
  std::string source;  // "DOCKER_HOST"
  std::string address;
  bool with_tls = false;
  std::string certificates;  // their directory
};

tl::unexpected<Error> unusable(const Host& host, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("{} is {}: {}", host.source, printable(host.address), why),
              "set DOCKER_HOST to unix:///PATH or tcp://HOST:PORT, or unset it for the engine of this machine");
}

std::string file_if_there(const std::string& path) { return access(path.c_str(), F_OK) == 0 ? path : ""; }

Result<Endpoint> tcp_endpoint(const Host& host) {
  std::string authority = host.address.substr(host.address.find("//") + 2);
  size_t after_brackets = authority.find(']');
  bool has_port = authority.find(':', after_brackets == authority.npos ? 0 : after_brackets) != authority.npos;
  if (!has_port) authority += host.with_tls ? ":2376" : ":2375";
  auto endpoint = parse_endpoint((host.with_tls ? "https://" : "http://") + authority);
  if (!endpoint) return unusable(host, endpoint.error().message);
  if (!host.with_tls) return endpoint;
  endpoint->ca_file = host.certificates + "/ca.pem";
  endpoint->certificate_file = host.certificates + "/cert.pem";
  endpoint->key_file = host.certificates + "/key.pem";
  return endpoint;
}

Result<Endpoint> endpoint_of(const Host& host) {
  if (host.address.starts_with("unix://")) {
    auto endpoint = parse_endpoint("unix:" + host.address.substr(7));
    if (!endpoint) return unusable(host, "its socket needs an absolute path");
    return endpoint;
  }
  if (host.address.starts_with("tcp://")) return tcp_endpoint(host);
  if (host.address.starts_with("ssh://"))
    return unusable(host, "plz does not go through ssh to an engine; run a plz worker on that machine instead");
  return unusable(host, "its form is unknown to plz");
}

Host host_of_variables(std::string address, const Variables& variable) {
  Host host{.source = "DOCKER_HOST",
            .address = std::move(address),
            .with_tls = !value_of(variable, "DOCKER_TLS_VERIFY").empty(),
            .certificates = value_of(variable, "DOCKER_CERT_PATH")};
  if (host.certificates.empty()) host.certificates = value_of(variable, "HOME") + "/.docker";
  return host;
}

// Its certificates may be some of the three only: whatever is not there is the system's, or is not shown.
Result<EngineSettings> settings_of(const DockerContext& context) {
  Host host{.source = "Docker's context " + printable(context.name),
            .address = context.host,
            .with_tls = !context.tls_directory.empty(),
            .certificates = context.tls_directory};
  PLZ_ASSIGN(Endpoint endpoint, endpoint_of(host));
  for (std::string* file : {&endpoint.ca_file, &endpoint.certificate_file, &endpoint.key_file})
    *file = file_if_there(*file);
  return EngineSettings{std::move(endpoint), host.source};
}

EngineSettings at_socket(std::string path, std::string source) {
  return {{.kind = Endpoint::Kind::unix_socket, .path = std::move(path)}, std::move(source)};
}

}  // namespace

Result<EngineSettings> find_engine(const Variables& variable) {
  if (std::string host = value_of(variable, "DOCKER_HOST"); !host.empty()) {
    const Host given = host_of_variables(std::move(host), variable);
    PLZ_ASSIGN(Endpoint endpoint, endpoint_of(given));
    return EngineSettings{std::move(endpoint), given.source};
  }
  PLZ_ASSIGN(const auto context, chosen_docker_context(variable));
  if (context) return settings_of(*context);
  std::string runtime_directory = value_of(variable, "XDG_RUNTIME_DIR");
  std::string rootless = runtime_directory + "/docker.sock";
  bool use_rootless =
      !runtime_directory.empty() && access(kDefaultSocket, F_OK) != 0 && access(rootless.c_str(), F_OK) == 0;
  return use_rootless ? at_socket(rootless, "the socket of this user's engine")
                      : at_socket(kDefaultSocket, "the default socket");
}

}  // namespace plz
