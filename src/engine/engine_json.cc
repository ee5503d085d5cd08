#include "engine/engine_json.h"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace plz::engine_json {
namespace {

using nlohmann::json;

Result<json> parse(std::string_view body, json::value_t type) {
  json value = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!value.is_discarded() && value.type() == type) return value;
  return fail(ErrorCode::unavailable, "an answer is not of the Docker Engine API: " + printable(body.substr(0, 200)));
}

Result<json> parse_object(std::string_view body) { return parse(body, json::value_t::object); }

// The engine writes null for what is empty, and leaves out what it does not know: both are absence.
const json* member(const json& object, const char* key) {
  auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const json& object_member(const json& object, const char* key) {
  static const json kNothing = json::object();
  const json* value = member(object, key);
  return value && value->is_object() ? *value : kNothing;
}

std::string text(const json& object, const char* key) {
  const json* value = member(object, key);
  return value && value->is_string() ? value->get<std::string>() : std::string();
}

template <typename Number>
Number number(const json& object, const char* key, Number otherwise = 0) {
  const json* value = member(object, key);
  return value && value->is_number() ? value->get<Number>() : otherwise;
}

bool is_set(const json& object, const char* key) {
  const json* value = member(object, key);
  return value && value->is_boolean() && value->get<bool>();
}

std::vector<std::string> texts(const json& object, const char* key) {
  std::vector<std::string> found;
  const json* value = member(object, key);
  if (!value || !value->is_array()) return found;
  for (const json& item : *value)
    if (item.is_string()) found.push_back(item.get<std::string>());
  return found;
}

Labels labels(const json& object) {
  Labels found;
  for (const auto& [key, value] : object_member(object, "Labels").items())
    if (value.is_string()) found[key] = value.get<std::string>();
  return found;
}

// "<none>:<none>" stands for no name at all.
std::vector<std::string> names(const json& object, const char* key) {
  std::vector<std::string> found = texts(object, key);
  std::erase_if(found, [](const std::string& name) { return name.find("<none>") != name.npos; });
  return found;
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

// Podman has words of its own for some.
ContainerStatus status_of(const std::string& word) {
  if (word == "running" || word == "stopping") return ContainerStatus::running;
  if (word == "paused") return ContainerStatus::paused;
  if (word == "restarting") return ContainerStatus::restarting;
  if (word == "removing") return ContainerStatus::removing;
  if (word == "exited" || word == "stopped") return ContainerStatus::exited;
  if (word == "dead") return ContainerStatus::dead;
  return ContainerStatus::created;
}

std::string url_base64(const json& value) {
  std::string encoded = base64(value.dump(-1, ' ', false, json::error_handler_t::replace));
  std::replace(encoded.begin(), encoded.end(), '+', '-');
  std::replace(encoded.begin(), encoded.end(), '/', '_');
  return encoded;
}

json credentials_object(const RegistryCredentials& credentials) {
  json object = json::object();
  if (!credentials.identity_token.empty()) {
    object["identitytoken"] = credentials.identity_token;
  } else if (!credentials.username.empty() || !credentials.password.empty()) {
    object["username"] = credentials.username;
    object["password"] = credentials.password;
  }
  if (!object.empty()) object["serveraddress"] = credentials.server;
  return object;
}

// Podman's push says the digest in words alone: "latest: digest: sha256:… size: 427".
std::string digest_in(const std::string& status) {
  constexpr std::string_view kWord = "digest: ";
  size_t at = status.find(kWord);
  if (at == status.npos) return {};
  at += kWord.size();
  return status.substr(at, status.find(' ', at) - at);
}

// The engine's words, fit for one line of ours.
std::string one_line(std::string words) {
  words = trim(words);
  std::replace(words.begin(), words.end(), '\n', ' ');
  return printable(words);
}

TransferProgress progress_of(const json& line) {
  const json& detail = object_member(line, "progressDetail");
  return {text(line, "id"), text(line, "status"), number<uint64_t>(detail, "current"),
          number<uint64_t>(detail, "total")};
}

}  // namespace

Result<EngineVersion> read_version(std::string_view body) {
  PLZ_ASSIGN(json object, parse_object(body));
  EngineVersion version{text(object, "Version"), text(object, "ApiVersion"), "Docker Engine"};
  const json* components = member(object, "Components");
  if (components && components->is_array())
    for (const json& component : *components)
      if (text(component, "Name") == "Podman Engine") version.name = "Podman Engine";
  if (version.version.empty() || version.api_version.empty())
    return fail(ErrorCode::unavailable, "an answer to the question for the engine's version names none");
  return version;
}

Result<EngineInfo> read_info(std::string_view body) {
  PLZ_ASSIGN(json object, parse_object(body));
  EngineInfo info{.storage_driver = text(object, "Driver"), .architecture = text(object, "Architecture")};
  for (const auto& [name, runtime] : object_member(object, "Runtimes").items()) info.runtimes.push_back(name);
  for (const std::string& option : texts(object, "SecurityOptions"))
    info.security_options += (info.security_options.empty() ? "" : ",") + option;
  if (auto found = object.find("DiscoveredDevices"); found != object.end() && found->is_array())
    for (const json& device : *found)
      if (device.is_object()) info.devices.push_back(text(device, "ID"));
  return info;
}

Result<std::string> read_created(std::string_view body) {
  PLZ_ASSIGN(json object, parse_object(body));
  std::string id = text(object, "Id");
  if (id.empty()) return fail(ErrorCode::unavailable, "the engine made a container and names no id");
  return id;
}

Result<ContainerState> read_container(std::string_view body) {
  PLZ_ASSIGN(json object, parse_object(body));
  const json& state = object_member(object, "State");
  ContainerState container;
  container.id = text(object, "Id");
  container.name = without_slash(text(object, "Name"));
  container.image_id = text(object, "Image");
  container.status = status_of(text(state, "Status"));
  container.exit_code = number<int>(state, "ExitCode");
  container.out_of_memory = is_set(state, "OOMKilled");
  container.error = text(state, "Error");
  container.pid = number<int64_t>(state, "Pid");
  container.labels = labels(object_member(object, "Config"));
  if (container.id.empty() || state.empty())
    return fail(ErrorCode::unavailable, "the engine describes a container without its state");
  return container;
}

Result<int> read_exit_status(std::string_view body) {
  PLZ_ASSIGN(json object, parse_object(body));
  std::string words = text(object_member(object, "Error"), "Message");
  if (!words.empty()) return fail(ErrorCode::internal, "waiting for the container: " + one_line(words));
  if (!member(object, "StatusCode")) return fail(ErrorCode::unavailable, "the engine names no exit status");
  return number<int>(object, "StatusCode");
}

Result<std::vector<ContainerSummary>> read_containers(std::string_view body) {
  PLZ_ASSIGN(json list, parse(body, json::value_t::array));
  std::vector<ContainerSummary> found;
  for (const json& object : list) {
    std::vector<std::string> all_names = texts(object, "Names");
    found.push_back({.id = text(object, "Id"),
                     .name = all_names.empty() ? std::string() : without_slash(all_names.front()),
                     .image_id = text(object, "ImageID"),
                     .state = text(object, "State"),
                     .labels = labels(object),
                     .writable_bytes = number<uint64_t>(object, "SizeRw")});
  }
  return found;
}

Result<ImageDetails> read_image(std::string_view body) {
  PLZ_ASSIGN(json object, parse_object(body));
  const json& config = object_member(object, "Config");
  ImageDetails image;
  image.id = text(object, "Id");
  image.tags = names(object, "RepoTags");
  image.digests = names(object, "RepoDigests");
  image.architecture = text(object, "Architecture");
  image.os = text(object, "Os");
  image.entrypoint = texts(config, "Entrypoint");
  image.command = texts(config, "Cmd");
  image.environment = texts(config, "Env");
  image.user = text(config, "User");
  image.working_directory = text(config, "WorkingDir");
  image.on_build = texts(config, "OnBuild");
  image.labels = labels(config);
  image.layers = texts(object_member(object, "RootFS"), "Layers");
  image.bytes = number<uint64_t>(object, "Size");
  image.created = text(object, "Created");
  if (image.id.empty()) return fail(ErrorCode::unavailable, "the engine describes an image without its id");
  return image;
}

Result<std::vector<ImageSummary>> read_images(std::string_view body) {
  PLZ_ASSIGN(json list, parse(body, json::value_t::array));
  std::vector<ImageSummary> found;
  for (const json& object : list)
    found.push_back({.id = text(object, "Id"),
                     .parent = text(object, "ParentId"),
                     .tags = names(object, "RepoTags"),
                     .digests = names(object, "RepoDigests"),
                     .labels = labels(object),
                     .bytes = number<uint64_t>(object, "Size"),
                     .containers = number<int64_t>(object, "Containers", -1)});
  return found;
}

std::string read_message(std::string_view body) {
  json object = json::parse(body, nullptr, /*allow_exceptions=*/false);
  std::string message = object.is_object() ? text(object, "message") : std::string();
  if (message.empty()) message = trim(body.substr(0, 2000));
  return one_line(std::move(message));
}

std::string label_filters(const Labels& labels) {
  json wanted = json::array();
  for (const auto& [key, value] : labels) wanted.push_back(value.empty() ? key : key + "=" + value);
  return json{{"label", std::move(wanted)}}.dump();
}

std::string ancestor_filter(const std::string& image) {
  return json{{"ancestor", json::array({image})}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string object_of(const std::map<std::string, std::string>& members) {
  return json(members).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string registry_auth(const RegistryCredentials& credentials) {
  return url_base64(credentials_object(credentials));
}

std::string registry_config(const std::map<std::string, RegistryCredentials>& credentials) {
  json all = json::object();
  for (const auto& [server, one] : credentials) all[server] = credentials_object(one);
  return url_base64(all);
}

Result<StreamLine> read_stream_line(std::string_view line) {
  PLZ_ASSIGN(json object, parse_object(line));
  StreamLine read;
  read.output = text(object, "stream");
  if (member(object, "status")) {
    read.progress = progress_of(object);
    read.digest = digest_in(read.progress->status);
  }
  const json& aux = object_member(object, "aux");
  read.image_id = text(aux, "ID");
  if (std::string digest = text(aux, "Digest"); !digest.empty()) read.digest = std::move(digest);
  if (member(object, "error") || member(object, "errorDetail")) {
    std::string words = text(object, "error");
    if (words.empty()) words = text(object_member(object, "errorDetail"), "message");
    read.error = one_line(std::move(words));
  }
  return read;
}

}  // namespace plz::engine_json
