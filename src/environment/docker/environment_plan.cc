#include "environment/docker/environment_plan.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "environment/environment_key.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr const char* kIgnoreFile = ".dockerignore";
constexpr const char* kDockerfileOfPlz = ".plz-environment.Dockerfile";
constexpr size_t kLongestText = 4 << 20;

// nullopt: there is none. A link could lead out of the code.
Result<std::optional<std::string>> read_regular(const std::string& directory, const std::string& name) {
  const std::string path = join_path(directory, name);
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::invalid, name + " must be a file");
  return read_file_if_exists(path, kLongestText);
}

Result<IgnoreRules> read_rules(const std::string& directory) {
  PLZ_ASSIGN(auto text, read_regular(directory, kIgnoreFile));
  return IgnoreRules::parse(text.value_or(""));
}

Result<void> add_entry(EnvironmentPlan& plan, const std::string& name) {
  auto has_name = [&](const ContextEntry& entry) { return entry.path == name; };
  struct stat status;
  if (std::any_of(plan.entries.begin(), plan.entries.end(), has_name)) return {};
  if (lstat(join_path(plan.directory, name).c_str(), &status) != 0) return {};
  plan.entries.push_back({.path = name, .mode = status.st_mode & 07777});
  return {};
}

// The engine takes what .dockerignore names out of the context again, so that COPY does not see plz's own Dockerfile.
Result<void> add_own_dockerfile(EnvironmentPlan& plan, const std::string& text) {
  plan.dockerfile_path = kDockerfileOfPlz;
  plan.texts[kDockerfileOfPlz] = text;
  if (plan.entries.empty()) return {};
  PLZ_ASSIGN(auto rules, read_regular(plan.directory, kIgnoreFile));
  plan.texts[kIgnoreFile] = (rules ? *rules + "\n" : std::string(kIgnoreFile) + "\n") + kDockerfileOfPlz + "\n";
  return {};
}

Result<Digest> see(EnvironmentPlan& plan, const BuildSight& sight, bool heed_ignore_file) {
  if (sight.sees_nothing()) return Digest();
  IgnoreRules rules;
  if (heed_ignore_file) {
    PLZ_ASSIGN(rules, read_rules(plan.directory));
  }
  PLZ_ASSIGN(plan.entries, list_context(plan.directory, sight, rules));
  return digest_of_context(plan.directory, plan.entries);
}

std::map<std::string, std::string> ids_of(const std::map<std::string, ImageDetails>& bases) {
  std::map<std::string, std::string> ids;
  for (const auto& [name, image] : bases) ids[name] = image.id;
  return ids;
}

Result<BuildSight> known(BuildSight sight) {
  if (sight.unknown_base.empty()) return sight;
  return fail(ErrorCode::invalid,
              "which image " + printable(sight.unknown_base) + " is cannot be told before it is built",
              "write its name there, or give an ARG before the first FROM a default");
}

std::string text_of_layer(const ImageDetails& base, const LayerRequest& request) {
  std::string text = "FROM " + base.id + "\n";
  for (const std::string& line : request.lines) text += line + "\n";
  return text;
}

}  // namespace

Result<BuildSight> sight_of_dockerfile(const std::string& text, const std::map<std::string, ImageDetails>& bases) {
  BuildSight sight = sight_of(text);
  for (const std::string& name : std::vector<std::string>(sight.stage_bases))
    if (auto base = bases.find(name); base != bases.end()) add_triggers(sight, base->second.on_build);
  return known(std::move(sight));
}

Result<BuildSight> sight_of_layer(const ImageDetails& base, const LayerRequest& request) {
  BuildSight sight = sight_of(text_of_layer(base, request));
  add_triggers(sight, base.on_build);
  std::erase(sight.bases, base.id);
  return known(std::move(sight));
}

Result<EnvironmentPlan> plan_layer(const ImageDetails& base, const LayerRequest& request) {
  const std::string text = text_of_layer(base, request);
  PLZ_ASSIGN(const BuildSight sight, sight_of_layer(base, request));
  EnvironmentPlan plan{.what = request.what,
                       .platform = request.platform,
                       .directory = request.directory,
                       .texts = request.texts,
                       .base_bytes = base.bytes};
  PLZ_ASSIGN(Digest context, see(plan, sight, request.heed_ignore_file));
  plan.base_names = sight.bases;
  plan.key = environment_key({.dockerfile = text,
                              .bases = ids_of(request.bases),
                              .platform = request.platform,
                              .context = context,
                              .texts = request.texts});
  PLZ_TRY(add_own_dockerfile(plan, text));
  return plan;
}

Result<std::string> read_dockerfile(const std::string& directory) {
  PLZ_ASSIGN(auto text, read_regular(directory, kDockerfileOfCode));
  if (!text) return fail(ErrorCode::invalid, std::string("the code has no ") + kDockerfileOfCode);
  return std::move(*text);
}

Result<EnvironmentPlan> plan_dockerfile(const std::string& text, const std::map<std::string, ImageDetails>& bases,
                                        const std::string& directory, const std::string& platform) {
  PLZ_ASSIGN(BuildSight sight, sight_of_dockerfile(text, bases));
  EnvironmentIngredients ingredients{.dockerfile = text, .bases = ids_of(bases), .platform = platform};
  EnvironmentPlan plan{
      .what = kDockerfileOfCode, .platform = platform, .directory = directory, .dockerfile_path = kDockerfileOfCode};
  if (bases.size() == 1 && sight.bases.size() == 1) plan.base_bytes = bases.begin()->second.bytes;
  plan.base_names = sight.bases;
  PLZ_ASSIGN(ingredients.context, see(plan, sight, true));
  plan.key = environment_key(ingredients);
  PLZ_TRY(add_entry(plan, kDockerfileOfCode));
  PLZ_TRY(add_entry(plan, kIgnoreFile));
  return plan;
}

}  // namespace plz
