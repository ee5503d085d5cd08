#include "engine/docker_context.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

using nlohmann::json;

// An object; an absent file is an empty one.
Result<json> read_object(const std::string& path) {
  PLZ_ASSIGN(auto text, read_file_if_exists(path));
  if (!text || trim(*text).empty()) return json::object();
  json object = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (object.is_object()) return object;
  return fail(ErrorCode::invalid, path + " is no JSON object");
}

std::string text_of(const json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<DockerContext> read_context(const std::string& name, const json& meta, const std::string& tls_directory) {
  const json endpoint = meta.value(json::json_pointer("/Endpoints/docker"), json::object());
  auto unusable = [&](const std::string& why) {
    return fail(ErrorCode::invalid, "Docker's context " + printable(name) + " " + why,
                "set DOCKER_HOST, or choose another: `docker context use NAME`");
  };
  DockerContext context{.name = name, .host = endpoint.is_object() ? text_of(endpoint, "Host") : ""};
  if (context.host.empty()) return unusable("names no engine");
  auto skips = endpoint.find("SkipTLSVerify");
  if (skips != endpoint.end() && *skips == true) return unusable("would have the engine's certificate not looked at");
  if (path_exists(tls_directory)) context.tls_directory = tls_directory;
  return context;
}

}  // namespace

Result<std::optional<DockerContext>> chosen_docker_context(const Variables& variable) {
  const std::string directory = docker_config_directory(variable);
  std::string name = value_of(variable, "DOCKER_CONTEXT");
  if (name.empty() && !directory.empty()) {
    PLZ_ASSIGN(const json configuration, read_object(join_path(directory, "config.json")));
    name = text_of(configuration, "currentContext");
  }
  if (name.empty() || name == "default") return std::nullopt;
  const std::string contexts = join_path(directory, "contexts");
  // The directory is called by a digest of the name; the name stands in it.
  auto digests = list_directory(join_path(contexts, "meta"));
  for (const std::string& digest : digests ? *digests : std::vector<std::string>()) {
    PLZ_ASSIGN(const json meta, read_object(join_path(contexts, "meta/" + digest + "/meta.json")));
    if (text_of(meta, "Name") != name) continue;
    PLZ_ASSIGN(DockerContext context, read_context(name, meta, join_path(contexts, "tls/" + digest + "/docker")));
    return context;
  }
  return fail(ErrorCode::invalid, "Docker's context " + printable(name) + " is not in " + contexts,
              "`docker context ls` shows those there are; DOCKER_CONTEXT, or `docker context use`, chooses one");
}

std::string docker_config_directory(const Variables& variable) {
  std::string directory = value_of(variable, "DOCKER_CONFIG");
  if (!directory.empty()) return directory;
  const std::string home = value_of(variable, "HOME");
  return home.empty() ? "" : join_path(home, ".docker");
}

}  // namespace plz
