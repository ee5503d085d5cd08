#include "aws/metadata_credentials.h"

#include <charconv>

#include <fmt/core.h>

#include "base/text.h"
#include "net/http_client.h"
#include "os/file.h"
#include "wire/json_reader.h"

namespace plz {
namespace {

struct MetadataKeys {
  std::string code, access_key_id, secret_access_key, token;
  Timestamp expiration;
};

struct Url {
  Endpoint endpoint;
  std::string target;
};

}  // namespace

template <>
struct Shape<MetadataKeys> {
  static void members(auto& json, auto& value) {
    json.optional("Code", value.code);
    if (!value.code.empty() && value.code != "Success") return;
    json.required("AccessKeyId", value.access_key_id);
    json.required("SecretAccessKey", value.secret_access_key);
    json.required("Token", value.token);
    json.required("Expiration", value.expiration);
  }
};

namespace {

using namespace std::chrono_literals;

constexpr ClientSettings kNearby{.connect_timeout = 1s, .stall_timeout = 2s};

// A number of seconds that somebody has set counts as botocore takes it: for the connection, and for each answer.
ClientSettings nearby(const Variables& variable) {
  const std::string text = value_of(variable, "AWS_METADATA_SERVICE_TIMEOUT");
  int seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (seconds <= 0) return kNearby;
  return {.connect_timeout = std::chrono::seconds(seconds), .stall_timeout = std::chrono::seconds(seconds)};
}

Result<Url> parse_url(std::string_view text) {
  size_t host = text.find("://");
  size_t slash = host == text.npos ? text.npos : text.find('/', host + 3);
  PLZ_ASSIGN(Endpoint endpoint, parse_endpoint(text.substr(0, slash)));
  return Url{std::move(endpoint), slash == text.npos ? "/" : std::string(text.substr(slash))};
}

Result<AwsCredentials> read_keys(std::string_view json, std::string source) {
  auto keys = read_document<MetadataKeys>(json);
  if (!keys)
    return fail(ErrorCode::unavailable, fmt::format("{} gave no credentials: {}", source, keys.error().message));
  if (keys->access_key_id.empty())
    return fail(ErrorCode::unavailable, fmt::format("{} gave no credentials: {}", source, printable(keys->code)));
  return AwsCredentials{keys->access_key_id, keys->secret_access_key, keys->token, keys->expiration, std::move(source)};
}

tl::unexpected<Error> refused(const std::string& source, const ClientResponse& response) {
  return fail(ErrorCode::unavailable,
              fmt::format("{} answered {}: {}", source, response.status, printable(response.body.substr(0, 300))));
}

bool is_loopback(std::string_view host) {
  bool numeric = host.find_first_not_of("0123456789.") == host.npos;
  return host == "localhost" || host == "::1" || (numeric && host.starts_with("127."));
}

bool is_near(const Endpoint& endpoint) {
  const std::string& host = endpoint.host;
  return endpoint.kind == Endpoint::Kind::https || is_loopback(host) || host == "169.254.170.2" ||
         host == "169.254.170.23" || host == "fd00:ec2::23";
}

// nullopt: the environment does not speak of such a service.
Result<std::optional<Url>> container_url(const Variables& variable) {
  std::string relative = value_of(variable, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty() && relative.front() != '/')
    return fail(ErrorCode::invalid, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
  if (!relative.empty())
    return Url{Endpoint{.kind = Endpoint::Kind::http, .host = "169.254.170.2", .port = 80}, relative};
  std::string full = value_of(variable, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (full.empty()) return std::nullopt;
  auto url = parse_url(full);
  if (!url) return fail(std::move(url).error().with_context("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
  if (!is_near(url->endpoint))
    return fail(ErrorCode::invalid,
                fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI names {}, which is far away and without TLS",
                            url->endpoint.to_string()));
  return *url;
}

Result<std::string> authorization(const Variables& variable) {
  std::string path = value_of(variable, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (path.empty()) return value_of(variable, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  PLZ_ASSIGN(std::string token, read_file(path, 64 << 10));
  return std::string(trim(token));
}

}  // namespace

Result<std::optional<AwsCredentials>> ContainerCredentials::credentials() {
  PLZ_ASSIGN(auto url, container_url(variable_));
  if (!url) return std::nullopt;
  std::string source = "the container's credentials service at " + url->endpoint.to_string();
  ClientRequest request{.target = url->target};
  PLZ_ASSIGN(std::string token, authorization(variable_));
  if (!token.empty()) request.headers.add("Authorization", token);
  HttpClient client(url->endpoint, kNearby);
  PLZ_ASSIGN(ClientResponse response, client.call(request));
  if (response.status != 200) return refused(source, response);
  return read_keys(response.body, std::move(source));
}

Result<std::optional<AwsCredentials>> InstanceCredentials::credentials() {
  if (value_of(variable_, "AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  std::string where = value_of(variable_, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  PLZ_ASSIGN(Endpoint endpoint, parse_endpoint(where.empty() ? "http://169.254.169.254" : where));
  std::string source = "the instance's metadata service";
  HttpClient client(endpoint, nearby(variable_));
  ClientRequest session{.method = "PUT", .target = "/latest/api/token"};
  session.headers.add("X-aws-ec2-metadata-token-ttl-seconds", "300");
  auto token = client.call(session);
  if (!token || token->status != 200) return std::nullopt;

  ClientRequest request{.target = "/latest/meta-data/iam/security-credentials/"};
  request.headers.add("X-aws-ec2-metadata-token", token->body);
  PLZ_ASSIGN(ClientResponse roles, client.call(request));
  if (roles.status == 404) return std::nullopt;
  if (roles.status != 200) return refused(source, roles);
  std::string role(trim(split(roles.body, '\n').front()));
  if (role.empty()) return std::nullopt;
  request.target += percent_encode(role);
  PLZ_ASSIGN(ClientResponse keys, client.call(request));
  if (keys.status != 200) return refused(source, keys);
  return read_keys(keys.body, fmt::format("the instance's role {}", printable(role)));
}

}  // namespace plz
