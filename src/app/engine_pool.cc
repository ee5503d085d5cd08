#include "app/engine_pool.h"

#include <algorithm>

#include <fmt/core.h>

#include "app/container_engine.h"
#include "base/text.h"
#include "model/engine_variables.h"

namespace plz {
namespace {

// Where in an environment, which may name a variable twice, it has its value.
const std::string* find(const EnvironmentVariables& shell, std::string_view name) {
  auto found = std::find_if(shell.begin(), shell.end(), [&](const auto& variable) { return variable.first == name; });
  return found == shell.end() ? nullptr : &found->second;
}

// Of a shell, its own words; of an API client that sent none, the worker's.
EnvironmentVariables engine_variables(const EnvironmentVariables& shell) {
  EnvironmentVariables kept;
  for (std::string_view name : kEngineVariables)
    if (const std::string* value = find(shell, name)) kept.emplace_back(name, *value);
  return kept;
}

// By which registries' logins differ.
std::string login_key(const EnvironmentVariables& shell) {
  std::string key;
  for (std::string_view name : {"DOCKER_CONFIG", "HOME", "PATH"})
    if (const std::string* value = find(shell, name)) key += fmt::format("{}={}\n", name, *value);
  return key;
}

}  // namespace

std::string note_of_engine(const EngineSettings& engine) {
  const Endpoint& endpoint = engine.endpoint;
  std::string note = fmt::format("address {}\n", endpoint.to_string());
  for (const auto& [name, path] :
       {std::pair("ca", &endpoint.ca_file), std::pair("certificate", &endpoint.certificate_file),
        std::pair("key", &endpoint.key_file)})
    if (!path->empty()) note += fmt::format("{} {}\n", name, *path);
  return note + fmt::format("source {}\n", engine.source);
}

Result<EngineSettings> engine_of_note(std::string_view note) {
  std::map<std::string, std::string, std::less<>> values;
  for (std::string_view line : split(note, '\n'))
    if (const size_t space = line.find(' '); space != line.npos)
      values.emplace(line.substr(0, space), line.substr(space + 1));
  if (!values.contains("address")) return fail(ErrorCode::invalid, "this is no engine's note");
  EngineSettings engine;
  PLZ_ASSIGN(engine.endpoint, parse_endpoint(values["address"]));
  engine.endpoint.ca_file = values["ca"];
  engine.endpoint.certificate_file = values["certificate"];
  engine.endpoint.key_file = values["key"];
  engine.source = values["source"];
  return engine;
}

struct EnginePool::Engine {
  Engine(const DockerRuntimeSettings& runtime_settings, const Result<EngineSettings>& engine)
      : settings(engine), runtime(runtime_settings, engine) {}

  const Result<EngineSettings> settings;
  DockerRuntime runtime;
  std::map<std::string, std::unique_ptr<Environments>> environments;  // by login
};

EnginePool::EnginePool(DockerRuntimeSettings runtime, EnvironmentSettings images, const Clock& clock)
    : runtime_(std::move(runtime)), images_(std::move(images)), clock_(clock) {
  own();
  own_ = engines_.begin()->first;
}

EnginePool::~EnginePool() = default;

ContainerEngine EnginePool::of_shell(const EnvironmentVariables& shell) {
  const EnvironmentVariables kept = engine_variables(shell);
  return get(find_engine(variables_for_engine(kept)), kept);
}

ContainerEngine EnginePool::noted(std::string_view note, const EnvironmentVariables& shell) {
  const auto settings = engine_of_note(note);
  return settings ? get(settings, engine_variables(shell)) : of_shell(shell);
}

ContainerEngine EnginePool::get(const Result<EngineSettings>& settings, const EnvironmentVariables& shell) {
  const std::string note = settings ? note_of_engine(*settings) : "";
  std::lock_guard lock(mutex_);
  auto& engine = engines_[settings ? note.substr(0, note.rfind("source ")) : settings.error().message];
  if (!engine) engine = std::make_unique<Engine>(runtime_, settings);
  auto& environments = engine->environments[login_key(shell)];
  if (!environments) environments = make_environments(settings, images_, variables_for_engine(shell), clock_);
  return {settings ? settings->endpoint.to_string() : "", note, &engine->runtime, environments.get(), &engine->runtime};
}

std::vector<ContainerEngine> EnginePool::known() {
  std::lock_guard lock(mutex_);
  std::vector<ContainerEngine> all;
  for (auto& [key, engine] : engines_) {
    ContainerEngine one{engine->settings ? engine->settings->endpoint.to_string() : "",
                        engine->settings ? note_of_engine(*engine->settings) : "", &engine->runtime,
                        engine->environments.begin()->second.get(), &engine->runtime};
    all.insert(key == own_ ? all.begin() : all.end(), one);
  }
  return all;
}

}  // namespace plz
