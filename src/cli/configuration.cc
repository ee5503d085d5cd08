#include "cli/configuration.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/configuration_json.h"
#include "cli/configuration_keys.h"
#include "cli/configuration_merge.h"
#include "cli/configuration_rules.h"
#include "cli/json_view.h"
#include "os/file.h"
#include "os/trusted_file.h"
#include "wire/json_text.h"

extern char** environ;

namespace plz {
namespace {

constexpr std::string_view kFileName = "plz.config.json";
constexpr std::string_view kPathVariable = "PLZ_CONFIGURATION_PATH";
constexpr std::string_view kVariablePrefix = "PLZ_";
constexpr auto kSafeDirectoriesVariable = "PLZ_SAFE_DIRECTORIES";
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

using FileOwner = ConfigurationMerge::FileOwner;

Result<void> add_file_if_exists(ConfigurationMerge& merge, const std::string& path, const FileTrust& trust,
                                FileOwner owner = FileOwner::anybody) {
  PLZ_ASSIGN(auto text, read_trusted_file(path, trust, kMostFileBytes));
  return text ? merge.add_file(*text, path, owner) : Result<void>();
}

Result<void> add_explicit_file(ConfigurationMerge& merge, const std::string& path, const FileTrust& trust,
                               std::string_view source) {
  auto text = read_trusted_file(path, trust, kMostFileBytes);
  if (text && !*text) text = fail(errno_error(ENOENT, "cannot open " + path));
  if (!text) return fail(std::move(text).error().with_context(fmt::format("the configuration given by {}", source)));
  return merge.add_file(**text, path);
}

// With the safe_directories that are merged so far.
FileTrust trust_of(const ConfigurationMerge& merge, const ConfigurationSources& sources) {
  FileTrust trust{sources.trusted_owners, {}, {}};
  if (const std::string path = users_file(sources); !path.empty()) trust.allowed_by = "safe_directories in " + path;
  const auto said = merge.values().find("safe_directories");
  if (said != merge.values().end()) trust.safe_directories = list_of_texts(*said);
  return trust;
}

Result<void> add_variable(ConfigurationMerge& merge, const ConfigurationSources& sources, const std::string& name) {
  const std::string* value = find_variable(sources.environment, name);
  if (!value) return {};
  return merge.add_override({lower_case(std::string_view(name).substr(kVariablePrefix.size())), *value, name},
                            sources.working_directory);
}

// The environment's word holds for the user's own file too, and both together for all others.
Result<FileTrust> add_users_file(ConfigurationMerge& merge, const ConfigurationSources& sources) {
  PLZ_TRY(add_variable(merge, sources, kSafeDirectoriesVariable));
  FileTrust trust = trust_of(merge, sources);
  trust.allowed_by.clear();
  if (const std::string path = users_file(sources); !path.empty())
    PLZ_TRY(add_file_if_exists(merge, path, trust, FileOwner::user));
  PLZ_TRY(add_variable(merge, sources, kSafeDirectoriesVariable));
  return trust_of(merge, sources);
}

Result<void> add_files(ConfigurationMerge& merge, const ConfigurationSources& sources, const FileTrust& trust) {
  const std::string* variable = find_variable(sources.environment, kPathVariable);
  bool from_variable = sources.explicit_path.empty() && variable && !variable->empty();
  std::string given = from_variable ? *variable : sources.explicit_path;

  auto directories = directories_from_mount_point(sources.working_directory);
  if (!given.empty()) directories.pop_back();
  for (const auto& directory : directories) {
    const std::string path = join_path(directory, kFileName);
    PLZ_TRY(add_file_if_exists(merge, path, trust, path == users_file(sources) ? FileOwner::user : FileOwner::anybody));
  }
  if (given.empty()) return {};
  return add_explicit_file(merge, absolute_path(given, sources.working_directory), trust,
                           from_variable ? kPathVariable : "-c");
}

Result<void> add_variables(ConfigurationMerge& merge, const ConfigurationSources& sources) {
  for (const auto& [name, value] : sources.environment) {
    if (!name.starts_with(kVariablePrefix) || name.starts_with(kTestVariablePrefix)) continue;
    if (std::find(std::begin(kOtherVariables), std::end(kOtherVariables), name) != std::end(kOtherVariables)) continue;
    if (name != upper_case(name)) continue;  // plz_x, PLZ_x: not ours
    PLZ_TRY(add_variable(merge, sources, name));
  }
  return {};
}

// What is handed on as it was written: no number in it changes on its way.
const std::set<std::string_view> kTextKeys = {"parameters", "docker_run_args", "environment"};

void apply_texts(const ConfigurationMerge& merge, Configuration& configuration) {
  if (auto text = merge.text_of("parameters")) configuration.parameters = JsonText{*text};
  if (auto text = merge.text_of("docker_run_args")) configuration.docker_run_args = JsonText{*text};
  auto environment = merge.text_of("environment");
  if (!environment) return;
  for (auto& [name, value] : configuration.environment)
    if (auto text = json_find(*environment, {name}); text && !text->starts_with('"')) value = *text;
}

void apply(const ConfigurationMerge& merge, Configuration& configuration) {
  for (const auto& [name, value] : merge.values().items()) find_configuration_key(name)->set(value, configuration);
  apply_texts(merge, configuration);
}

Result<void> apply_defaults(const ConfigurationSources& sources, Configuration& configuration) {
  if (configuration.port == 0)
    configuration.port = configuration.connection_info.schema == ConnectionSchema::https ? 443 : 80;
  if (configuration.user.empty()) configuration.user = printable(sources.login_name);
  if (configuration.project.empty()) configuration.project = printable(base_name(sources.working_directory));
  if (configuration.context_path.empty()) configuration.context_path = sources.working_directory;
  const std::string dockerfile = join_path(configuration.context_path, "plz.Dockerfile");
  configuration.has_dockerfile = path_exists(dockerfile);
  return check_trusted_file(dockerfile, configuration.trust);
}

bool is_empty(const Json& value) { return value.is_null() || (value.is_structured() && value.empty()); }

// What is recorded: what was said of the job, and those defaults that differ from place to place.
JsonText recorded(const ConfigurationMerge& merge, const Configuration& configuration) {
  Json record = Json::object();
  std::string texts = "{";
  for (const auto& [name, value] : merge.values().items()) {
    if (is_empty(value) || name == "safe_directories") continue;
    record[name] = value;
    const std::string* text = kTextKeys.contains(name) ? merge.text_of(name) : nullptr;
    if (text) texts += (texts.size() > 1 ? "," : "") + quote_json(name) + ":" + *text;
  }
  record["user"] = configuration.user;
  record["project"] = configuration.project;
  record["context_path"] = configuration.context_path;
  const std::string record_text = record.dump(-1, ' ', false, Json::error_handler_t::replace);
  return JsonText{texts.size() > 1 ? merge_json_objects(record_text, texts + "}") : record_text};
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
  const std::string* sudo_uid = find_variable(sources.environment, "SUDO_UID");
  sources.trusted_owners = trusted_owners(sudo_uid ? *sudo_uid : "");
  PLZ_ASSIGN(sources.login_name, login_name());
  return sources;
}

Result<Configuration> load_configuration(const ConfigurationSources& sources) {
  ConfigurationMerge merge(sources.home);
  PLZ_ASSIGN(FileTrust trust, add_users_file(merge, sources));
  PLZ_TRY(add_files(merge, sources, trust));
  PLZ_TRY(add_variables(merge, sources));
  for (const auto& flag : sources.flags) PLZ_TRY(merge.add_override(flag, sources.working_directory));

  Configuration configuration;
  configuration.port = 0;
  apply(merge, configuration);
  configuration.trust = std::move(trust);
  PLZ_TRY(apply_defaults(sources, configuration));
  PLZ_TRY(check_configuration_rules(configuration, merge));
  configuration.warnings = configuration_warnings(configuration);
  configuration.merged = recorded(merge, configuration);
  return configuration;
}

}  // namespace plz
