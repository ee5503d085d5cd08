#include "cli/metadata.h"

#include <stdlib.h>

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/configuration.h"
#include "cli/git_checkout.h"
#include "cli/git_environment.h"
#include "cli/process_attributes.h"
#include "cli/python_interpreter.h"
#include "cli/python_inventory.h"
#include "cli/recorded_variables.h"
#include "os/file.h"
#include "os/machine.h"
#include "os/shared_library.h"

namespace plz {
namespace {

using Json = nlohmann::json;

// Those whose alternatives and versions give other results.
constexpr const char* kLibraries[] = {"libblas.so.3", "liblapack.so.3", "libopenblas.so.0", "libgomp.so.1",
                                      "libm.so.6"};

void put(Json& object, const char* name, const std::string& value) {
  if (!value.empty()) object[name] = printable(value);
}

Json machine_json() {
  const Machine facts = describe_machine();
  Json machine{{"memory_bytes", facts.memory_bytes}};
  if (const auto whole = static_cast<int64_t>(facts.cpus); static_cast<double>(whole) == facts.cpus)
    machine["cpus"] = whole;
  else machine["cpus"] = facts.cpus;
  put(machine, "host_name", facts.host_name);
  put(machine, "os", facts.os_release);
  put(machine, "kernel", facts.kernel);
  put(machine, "architecture", facts.architecture);
  put(machine, "cpu_model", facts.cpu_model);
  machine["cpu_features"] = Json::array();
  for (const auto& feature : facts.cpu_features) machine["cpu_features"].push_back(printable(feature));
  put(machine, "gpu_driver", facts.gpu_driver);
  for (const auto& gpu : facts.gpus) machine["gpus"].push_back(printable(gpu.model));
  return machine;
}

// They tell of the moment, not of what a job depends on, and differ between any two runs.
bool is_of_the_shell(std::string_view name) {
  return name == "_" || name == "PWD" || name == "OLDPWD" || name == "SHLVL";
}

Json environment_json(const MetadataSources& sources) {
  const RecordedVariables recorded(sources.recorded_variables), all({"*"});
  Json names = Json::array(), values = Json::object();
  std::vector<std::string> sorted;
  auto add = [&](const std::string& name, const std::string& value, const RecordedVariables& rule) {
    sorted.push_back(printable(name));
    if (rule.is_recorded(name, value)) values[sorted.back()] = printable(value);
    else values.erase(sorted.back());
  };
  if (sources.host_environment && sources.shell_reaches_job)
    for (const auto& [name, value] : sources.environment)
      if (!name.starts_with("PLZ_") && !is_of_the_shell(name) && !names_git_repository(name))
        add(name, value, recorded);
  for (const auto& [name, value] : sources.configured) add(name, value, all);
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  for (auto& name : sorted) names.push_back(std::move(name));
  return {{"names", std::move(names)}, {"values", std::move(values)}};
}

// What the job's shell would see: the configured variables lie over the submitting shell's.
EnvironmentVariables job_environment(const MetadataSources& sources) {
  EnvironmentVariables environment = sources.environment;
  for (const auto& variable : sources.configured) {
    std::erase_if(environment, [&](const auto& given) { return given.first == variable.first; });
    environment.push_back(variable);
  }
  return environment;
}

Json libraries_json(const EnvironmentVariables& environment, const std::string& directory) {
  const std::string* path = find_variable(environment, "LD_LIBRARY_PATH");
  const SharedLibrarySearch search(path ? *path : "", directory);
  Json libraries = Json::object();
  for (const char* name : kLibraries) {
    const auto library = search.find(name);
    if (!library) continue;
    Json json{{"path", printable(library->path)}};
    if (library->build_id.empty()) json["bytes"] = library->bytes;
    else json["build_id"] = library->build_id;
    libraries[name] = std::move(json);
  }
  return libraries;
}

std::string cache_directory(const MetadataSources& sources) {
  const std::string* xdg = find_variable(sources.environment, "XDG_CACHE_HOME");
  if (xdg && xdg->starts_with('/')) return join_path(*xdg, "plz");
  return sources.home.empty() ? "" : join_path(sources.home, ".cache/plz");
}

std::string resolved(const std::string& path) {
  std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), free);
  return real ? real.get() : path;
}

bool lies_in(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory == "/" ? "/" : directory + "/");
}

}  // namespace

struct PendingMetadata::State {
  MetadataSources sources;
  Json earlier;         // of a rerun
  std::string context;  // its real path: what live code is compared with
  EnvironmentVariables environment;
  std::optional<std::string> checkout;
  std::optional<PendingGitState> git;
  std::optional<std::string> interpreter;
  std::optional<PendingPythonInventory> inventory;

  void start_git();
  void start_python();
  std::optional<std::string> find_interpreter() const;
  std::optional<std::string> recorded_interpreter() const;
  bool is_of_the_code(const std::string& path) const;
  std::optional<Json> git_json();
  std::optional<Json> python_json(Metadata& metadata);
  std::optional<Json> python_json_of_the_code() const;  // of a rerun
  void warn_of_live_code(const std::vector<LiveCode>& live, std::vector<std::string>& warnings) const;
  void warn_of_python_path(std::vector<std::string>& warnings) const;
};

void PendingMetadata::State::start_git() {
  if (sources.earlier) return;
  checkout = find_git_checkout(sources.context_path);
  if (!checkout) return;
  if (auto started = PendingGitState::start(sources.context_path, sources.environment)) git = std::move(*started);
}

void PendingMetadata::State::start_python() {
  if (!sources.host_environment) return;
  interpreter = find_interpreter();
  if (!interpreter) return;
  // Of a rerun, where the code was may be gone.
  const std::string& directory = path_exists(sources.context_path) ? sources.context_path : sources.working_directory;
  auto started = PendingPythonInventory::start(*interpreter, environment, directory, cache_directory(sources));
  if (started) inventory = std::move(*started);
}

std::optional<std::string> PendingMetadata::State::find_interpreter() const {
  if (!sources.earlier || !starts_captured_file(sources.command))
    return python_of_command(sources.command, environment, sources.context_path);
  // A script of the code may be for an interpreter that is not.
  if (!recorded_interpreter() || is_of_the_code(*recorded_interpreter())) return std::nullopt;
  return recorded_interpreter();
}

std::optional<std::string> PendingMetadata::State::recorded_interpreter() const {
  const auto found = earlier.find("python");
  if (found == earlier.end() || !found->is_object()) return std::nullopt;
  const auto path = found->find("interpreter");
  return path != found->end() && path->is_string() ? std::optional(path->get<std::string>()) : std::nullopt;
}

// By its path: what a link there leads to is of no matter.
bool PendingMetadata::State::is_of_the_code(const std::string& path) const {
  return lies_in(path, sources.context_path) || lies_in(path, context);
}

std::optional<Json> PendingMetadata::State::git_json() {
  if (sources.earlier && earlier.contains("git")) return earlier["git"];
  if (!git) return std::nullopt;
  auto state = git->finish();
  if (!state) return std::nullopt;
  Json json{{"dirty", state->dirty}, {"untracked_files", state->untracked_files}};
  put(json, "root", *checkout);
  put(json, "commit", state->commit);
  put(json, "branch", state->branch);
  return json;
}

std::optional<Json> PendingMetadata::State::python_json_of_the_code() const {
  const auto recorded = recorded_interpreter();
  if (!recorded || !starts_captured_file(sources.command) || !is_of_the_code(*recorded)) return std::nullopt;
  return earlier["python"];
}

std::optional<Json> PendingMetadata::State::python_json(Metadata& metadata) {
  if (!interpreter) return python_json_of_the_code();
  Json json;
  put(json, "interpreter", *interpreter);
  warn_of_python_path(metadata.warnings);
  if (!inventory) return json;
  auto found = inventory->finish();
  if (!found) {
    put(json, "error", found.error().message);
    return json;
  }
  put(json, "version", found->version);
  put(json, "implementation", found->implementation);
  json["inventory"] = found->digest.hex();
  metadata.blobs.push_back({found->digest, std::move(found->text)});
  warn_of_live_code(found->live, metadata.warnings);
  return json;
}

void PendingMetadata::State::warn_of_live_code(const std::vector<LiveCode>& live,
                                               std::vector<std::string>& warnings) const {
  std::vector<std::string> said;
  for (const auto& code : live) {
    std::string path = resolved(code.path);
    if (!lies_in(path, context)) continue;
    // A distribution and the .pth file that serves it are one thing to tell.
    if (std::find(said.begin(), said.end(), path) != said.end()) continue;
    said.push_back(path);
    std::string who = code.name.empty() ? fmt::format("{} imports from {}", printable(*interpreter), printable(path))
                                        : fmt::format("{} is installed in editable form from {}", printable(code.name),
                                                      printable(path));
    warnings.push_back(who + ": the job may run the live code there, not what is captured");
  }
}

void PendingMetadata::State::warn_of_python_path(std::vector<std::string>& warnings) const {
  const std::string* python_path = find_variable(environment, "PYTHONPATH");
  if (!python_path) return;
  for (auto entry : split(*python_path, ':'))
    if (entry.starts_with('/') && lies_in(resolved(std::string(entry)), context))
      warnings.push_back(fmt::format("PYTHONPATH holds {}: the job may run the live code there, not what is captured",
                                     printable(entry)));
}

PendingMetadata::PendingMetadata(std::unique_ptr<State> state) : state_(std::move(state)) {}
PendingMetadata::PendingMetadata(PendingMetadata&&) noexcept = default;
PendingMetadata& PendingMetadata::operator=(PendingMetadata&&) noexcept = default;
PendingMetadata::~PendingMetadata() = default;

PendingMetadata PendingMetadata::start(MetadataSources sources) {
  auto state = std::make_unique<State>();
  state->sources = std::move(sources);
  if (state->sources.earlier) state->earlier = Json::parse(state->sources.earlier->text, nullptr, false);
  if (!state->earlier.is_object()) state->earlier = Json::object();
  state->context = resolved(state->sources.context_path);
  state->environment = job_environment(state->sources);
  state->start_git();
  state->start_python();
  return PendingMetadata(std::move(state));
}

Metadata PendingMetadata::finish() {
  Metadata metadata;
  const MetadataSources& sources = state_->sources;
  Json json{{"environment", environment_json(sources)}, {"machine", machine_json()}};
  if (const std::string process = recorded_attributes(sources.attributes); !process.empty())
    json["process"] = Json::parse(process);
  put(json, "plz", sources.plz_version);
  put(json, "directory", sources.working_directory);
  if (sources.host_environment) json["libraries"] = libraries_json(state_->environment, sources.context_path);
  if (auto git = state_->git_json()) json["git"] = std::move(*git);
  if (auto python = state_->python_json(metadata)) json["python"] = std::move(*python);
  metadata.json.text = json.dump();
  return metadata;
}

}  // namespace plz
