#include "environment/login/docker_config.h"

#include "base/text.h"
#include "wire/json_reader.h"
#include "wire/json_text.h"

namespace plz {
namespace {

constexpr std::string_view kHubKey = "https://index.docker.io/v1/", kHub = "docker.io";

// "https://host:5000/v1/" is an old way to say "host:5000".
std::string host_of(std::string_view key) {
  for (std::string_view schema : {"https://", "http://"})
    if (key.starts_with(schema)) key.remove_prefix(schema.size());
  std::string host(key.substr(0, key.find('/')));
  return host == "index.docker.io" ? std::string(kHub) : host;
}

using Members = std::vector<std::pair<std::string, std::string>>;

// The members of an object; none where it is absent or null.
class ConfigReader {
 public:
  explicit ConfigReader(std::optional<Error>& error) : error_(error) {}

  Members object(std::string_view text, std::string_view name) {
    Members members;
    if (text == "null") return members;
    if (!text.starts_with('{')) problem(name, "must be an object");
    if (error_) return members;
    JsonReader reader(text, JsonPlace{}, error_);
    for (const auto& [key, value] : reader.members()) members.emplace_back(key, value);
    return members;
  }
  std::string text(std::string_view value, std::string_view name) {
    if (value.starts_with('"')) return decode_json_string(value);
    if (value != "null") problem(name, "must be a string");
    return {};
  }
  void problem(std::string_view name, std::string_view what) {
    if (!error_) error_ = Error{ErrorCode::invalid, std::string(name) + " " + std::string(what), {}};
  }

 private:
  std::optional<Error>& error_;
};

void read_auth(ConfigReader& reader, RegistryCredentials& credentials, const Members& members) {
  for (const auto& [name, value] : members) {
    if (name == "username") credentials.username = reader.text(value, "auths: username");
    if (name == "password") credentials.password = reader.text(value, "auths: password");
    if (name == "identitytoken") credentials.identity_token = reader.text(value, "auths: identitytoken");
    if (name != "auth") continue;
    std::string encoded = reader.text(value, "auths: auth");
    if (encoded.empty()) continue;
    auto decoded = base64_decode(encoded);
    size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      reader.problem("auths: auth of " + credentials.server, "is not user:password in base64");
      continue;
    }
    credentials.username = decoded->substr(0, colon);
    credentials.password = decoded->substr(colon + 1);
    while (credentials.password.ends_with('\0')) credentials.password.pop_back();
  }
}

}  // namespace

std::string docker_config_key(const std::string& server) { return server == kHub ? std::string(kHubKey) : server; }

std::string DockerConfig::helper_for(const std::string& server) const {
  auto helper = helpers.find(server);
  return helper == helpers.end() ? store : helper->second;
}

Result<DockerConfig> parse_docker_config(std::string_view text) {
  PLZ_ASSIGN(JsonText checked, parse_json_object(text, "the file"));
  std::optional<Error> error;
  ConfigReader reader(error);
  DockerConfig config;
  for (const auto& [name, value] : reader.object(checked.text, "the file")) {
    if (name == "credsStore") config.store = reader.text(value, name);
    if (name == "credHelpers")
      for (const auto& [key, helper] : reader.object(value, name))
        config.helpers[host_of(key)] = reader.text(helper, name);
    if (name == "auths")
      for (const auto& [key, auth] : reader.object(value, name)) {
        RegistryCredentials& credentials = config.auths[host_of(key)];
        credentials.server = docker_config_key(host_of(key));
        read_auth(reader, credentials, reader.object(auth, name));
      }
  }
  if (error) return fail(std::move(*error));
  return config;
}

Result<RegistryCredentials> parse_helper_answer(std::string_view json, const std::string& server) {
  PLZ_ASSIGN(JsonText checked, parse_json_object(json, "the answer"));
  std::optional<Error> error;
  ConfigReader reader(error);
  std::string username, secret;
  for (const auto& [name, value] : reader.object(checked.text, "the answer")) {
    if (name == "Username") username = reader.text(value, name);
    if (name == "Secret") secret = reader.text(value, name);
  }
  if (error) return fail(std::move(*error));
  RegistryCredentials credentials{.server = docker_config_key(server)};
  if (username == "<token>") {
    credentials.identity_token = secret;
  } else {
    credentials.username = username;
    credentials.password = secret;
  }
  return credentials;
}

}  // namespace plz
