#include "cli/git_environment.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <string>

#include <fmt/core.h>

#include "cli/configuration.h"

namespace plz {
namespace {

constexpr std::string_view kOfARepository[] = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
};

constexpr std::string_view kKeptForGit[] = {"GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM",
                                            "GIT_CONFIG_NOSYSTEM"};
constexpr int kMostSettings = 1000;

template <size_t size>
bool is_among(const std::string_view (&names)[size], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

int count_of(const std::string* text) {
  int count = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), count);
  return std::clamp(count, 0, kMostSettings);
}

// Whoever is not the owner of a repository (in a container, say) tells git by it that they trust it.
void keep_safe_directories(const EnvironmentVariables& from, EnvironmentVariables& to) {
  int kept = 0;
  for (int i = 0, count = count_of(find_variable(from, "GIT_CONFIG_COUNT")); i < count; ++i) {
    const auto* key = find_variable(from, fmt::format("GIT_CONFIG_KEY_{}", i));
    const auto* value = find_variable(from, fmt::format("GIT_CONFIG_VALUE_{}", i));
    if (!key || !value || strcasecmp(key->c_str(), "safe.directory") != 0) continue;
    to.emplace_back(fmt::format("GIT_CONFIG_KEY_{}", kept), *key);
    to.emplace_back(fmt::format("GIT_CONFIG_VALUE_{}", kept), *value);
    ++kept;
  }
  if (kept > 0) to.emplace_back("GIT_CONFIG_COUNT", fmt::format("{}", kept));
}

}  // namespace

bool names_git_repository(std::string_view variable) { return is_among(kOfARepository, variable); }

EnvironmentVariables git_environment(const EnvironmentVariables& environment) {
  EnvironmentVariables kept;
  for (const auto& variable : environment)
    if (!variable.first.starts_with("GIT_") || is_among(kKeptForGit, variable.first)) kept.push_back(variable);
  keep_safe_directories(environment, kept);
  // Where a checkout begins is looked for across mounts here, too.
  kept.emplace_back("GIT_DISCOVERY_ACROSS_FILESYSTEM", "1");
  return kept;
}

}  // namespace plz
