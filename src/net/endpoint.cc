#include <charconv>

#include <fmt/core.h>

#include "base/text.h"
#include "net/http_client.h"

namespace plz {
namespace {

constexpr std::string_view kForms = "write unix:/PATH, http://HOST[:PORT] or https://HOST[:PORT]";

tl::unexpected<Error> bad_endpoint(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("the address {} {}", printable(text.substr(0, 200)), why),
              std::string(kForms));
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_host(std::string_view host, bool bracketed) {
  if (host.empty() || host.size() > 253) return false;
  for (char c : host)
    if (!is_host_character(c) && !(bracketed && (c == ':' || c == '%'))) return false;
  return true;
}

Result<Endpoint> parse_host_and_port(std::string_view text, std::string_view authority, Endpoint::Kind kind,
                                     uint16_t default_port) {
  if (authority.ends_with('/')) authority.remove_suffix(1);
  bool bracketed = authority.starts_with('[');
  size_t end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end == authority.npos) return bad_endpoint(text, "has a [ without its ]");
  Endpoint endpoint{.kind = kind};
  endpoint.host = authority.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  endpoint.port = default_port;
  if (!is_host(endpoint.host, bracketed)) return bad_endpoint(text, "has no valid host name");
  std::string_view rest = end == authority.npos ? "" : authority.substr(end + (bracketed ? 1 : 0));
  if (rest.empty()) return endpoint;
  if (rest.front() != ':') return bad_endpoint(text, "has no valid port");
  rest.remove_prefix(1);
  auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), endpoint.port);
  if (error != std::errc() || stop != rest.data() + rest.size() || endpoint.port == 0)
    return bad_endpoint(text, "has no valid port");
  return endpoint;
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with("unix:")) {
    std::string_view path = text.substr(5);
    if (!path.starts_with('/')) return bad_endpoint(text, "needs an absolute path");
    if (path.find('\0') != path.npos) return bad_endpoint(text, "has a NUL in its path");
    return Endpoint{.kind = Endpoint::Kind::unix_socket, .path = std::string(path)};
  }
  if (text.starts_with("http://")) return parse_host_and_port(text, text.substr(7), Endpoint::Kind::http, 80);
  if (text.starts_with("https://")) return parse_host_and_port(text, text.substr(8), Endpoint::Kind::https, 443);
  return bad_endpoint(text, "has an unknown form");
}

std::string Endpoint::authority() const {
  if (kind == Kind::unix_socket) return "localhost";
  std::string name = host.find(':') == host.npos ? host : "[" + host + "]";
  return port == (kind == Kind::http ? 80 : 443) ? name : fmt::format("{}:{}", name, port);
}

std::string Endpoint::to_string() const {
  if (kind == Kind::unix_socket) return "unix:" + path;
  std::string_view scheme = kind == Kind::http ? "http" : "https";
  bool bracketed = host.find(':') != host.npos;
  return fmt::format("{}://{}{}{}:{}", scheme, bracketed ? "[" : "", host, bracketed ? "]" : "", port);
}

}  // namespace plz
