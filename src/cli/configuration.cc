#include "cli/configuration.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/configuration_keys.h"
#include "cli/configuration_merge.h"
#include "cli/configuration_rules.h"
#include "os/file.h"

extern char** environ;

namespace plz {
namespace {

constexpr std::string_view kFileName = "plz.config.json";
constexpr std::string_view kPathVariable = "PLZ_CONFIGURATION_PATH";
constexpr std::string_view kVariablePrefix = "PLZ_";
constexpr uint64_t kMostFileBytes = 1 << 20;

// Variables of plz that are no keys.
constexpr std::string_view kOtherVariables[] = {kPathVariable, "PLZ_DATA_DIR"};
constexpr std::string_view kTestVariablePrefix = "PLZ_TEST_";  // plz's own tests set them

std::string upper_case(std::string_view text) {
  std::string result(text);
  for (char& letter : result)
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter & ~0x20);
  return result;
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& letter : result)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter | 0x20);
  return result;
}

// `directory` and those above it on the same file system, the highest first.
std::vector<std::string> directories_from_mount_point(const std::string& directory) {
  std::vector<std::string> directories{directory};
  struct stat first {
  }, next{};
  if (stat(directory.c_str(), &first) != 0) return directories;
  while (directories.back() != "/") {
    std::string above = parent_path(directories.back());
    if (stat(above.c_str(), &next) != 0 || next.st_dev != first.st_dev) break;
    directories.push_back(std::move(above));
  }
  std::reverse(directories.begin(), directories.end());
  return directories;
}

std::string users_file(const ConfigurationSources& sources) {
  const std::string* xdg = find_variable(sources.environment, "XDG_CONFIG_HOME");
  if (xdg && xdg->starts_with('/')) return join_path(join_path(*xdg, "plz"), kFileName);
  if (sources.home.empty()) return {};
  return join_path(sources.home, fmt::format(".config/plz/{}", kFileName));
}

Result<void> add_file_if_exists(ConfigurationMerge& merge, const std::string& path) {
  PLZ_ASSIGN(auto text, read_file_if_exists(path, kMostFileBytes));
  return text ? merge.add_file(*text, path) : Result<void>();
}

Result<void> add_explicit_file(ConfigurationMerge& merge, const std::string& path, std::string_view source) {
  auto text = read_file(path, kMostFileBytes);
  if (!text) return fail(std::move(text).error().with_context(fmt::format("the configuration given by {}", source)));
  return merge.add_file(*text, path);
}

Result<void> add_files(ConfigurationMerge& merge, const ConfigurationSources& sources) {
  const std::string* variable = find_variable(sources.environment, kPathVariable);
  bool from_variable = sources.explicit_path.empty() && variable && !variable->empty();
  std::string given = from_variable ? *variable : sources.explicit_path;

  if (std::string path = users_file(sources); !path.empty()) PLZ_TRY(add_file_if_exists(merge, path));
  auto directories = directories_from_mount_point(sources.working_directory);
  if (!given.empty()) directories.pop_back();
  for (const auto& directory : directories) PLZ_TRY(add_file_if_exists(merge, join_path(directory, kFileName)));
  if (given.empty()) return {};
  return add_explicit_file(merge, absolute_path(given, sources.working_directory),
                           from_variable ? kPathVariable : "-c");
}

Result<void> add_variables(ConfigurationMerge& merge, const ConfigurationSources& sources) {
  for (const auto& [name, value] : sources.environment) {
    if (!name.starts_with(kVariablePrefix) || name.starts_with(kTestVariablePrefix)) continue;
    if (std::find(std::begin(kOtherVariables), std::end(kOtherVariables), name) != std::end(kOtherVariables)) continue;
    std::string key = lower_case(std::string_view(name).substr(kVariablePrefix.size()));
    if (name != fmt::format("{}{}", kVariablePrefix, upper_case(key))) continue;  // plz_x, PLZ_x: not ours
    PLZ_TRY(merge.add_override({key, value, name}, sources.working_directory));
  }
  return {};
}

void apply(const Json& values, Configuration& configuration) {
  for (const auto& [name, value] : values.items()) find_configuration_key(name)->set(value, configuration);
}

void apply_defaults(const ConfigurationSources& sources, Configuration& configuration) {
  if (configuration.port == 0)
    configuration.port = configuration.connection_info.schema == ConnectionSchema::https ? 443 : 80;
  if (configuration.user.empty()) configuration.user = printable(sources.login_name);
  if (configuration.project.empty()) configuration.project = printable(base_name(sources.working_directory));
  if (configuration.context_path.empty()) configuration.context_path = sources.working_directory;
  configuration.has_dockerfile = path_exists(join_path(configuration.context_path, "plz.Dockerfile"));
}

bool is_empty(const Json& value) { return value.is_null() || (value.is_structured() && value.empty()); }

// What is recorded: what was said, and those defaults that differ from place to place.
JsonText recorded(const Json& values, const Configuration& configuration) {
  Json record = Json::object();
  for (const auto& [name, value] : values.items())
    if (!is_empty(value)) record[name] = value;
  record["user"] = configuration.user;
  record["project"] = configuration.project;
  record["context_path"] = configuration.context_path;
  return JsonText{record.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

Result<std::string> login_name() {
  if (const passwd* entry = getpwuid(geteuid())) return std::string(entry->pw_name);
  return fmt::format("uid-{}", geteuid());
}

}  // namespace

const std::string* find_variable(const EnvironmentVariables& environment, std::string_view name) {
  for (const auto& [key, value] : environment)
    if (key == name) return &value;
  return nullptr;
}

Result<ConfigurationSources> sources_of_this_process() {
  ConfigurationSources sources;
  PLZ_ASSIGN(sources.working_directory, current_directory());
  for (char** entry = environ; *entry; ++entry) {
    std::string_view text = *entry;
    size_t equals = text.find('=', 1);
    if (equals != text.npos) sources.environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (const std::string* home = find_variable(sources.environment, "HOME"); home && home->starts_with('/'))
    sources.home = *home;
  PLZ_ASSIGN(sources.login_name, login_name());
  return sources;
}

Result<Configuration> load_configuration(const ConfigurationSources& sources) {
  ConfigurationMerge merge(sources.home);
  PLZ_TRY(add_files(merge, sources));
  PLZ_TRY(add_variables(merge, sources));
  for (const auto& flag : sources.flags) PLZ_TRY(merge.add_override(flag, sources.working_directory));

  Configuration configuration;
  configuration.port = 0;
  apply(merge.values(), configuration);
  apply_defaults(sources, configuration);
  PLZ_TRY(check_configuration_rules(configuration, merge));
  configuration.warnings = configuration_warnings(configuration);
  configuration.merged = recorded(merge.values(), configuration);
  return configuration;
}

}  // namespace plz
