#include "cli/configuration_merge.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/configuration_keys.h"
#include "cli/json_view.h"
#include "os/file.h"
#include "wire/json_text.h"

namespace plz {
namespace {

std::string resolved(const std::string& path, const std::string& directory, const std::string& home) {
  if (!home.empty() && (path == "~" || path.starts_with("~/"))) return absolute_path("." + path.substr(1), home);
  return absolute_path(path, directory);
}

void resolve_member(Json& object, const char* name, const std::string& directory, const std::string& home) {
  if (auto member = object.find(name); member != object.end())
    *member = resolved(member->get<std::string>(), directory, home);
}

void resolve_safe_directories(Json& value, const std::string& directory, const std::string& home) {
  Json paths = Json::array();
  for (const std::string& path : list_of_texts(value)) {
    const bool below = path.ends_with("/*");
    if (path == "*") paths.push_back(path);
    else
      paths.push_back(resolved(below ? path.substr(0, path.size() - 2) : path, directory, home) + (below ? "/*" : ""));
  }
  value = std::move(paths);
}

// The keys whose values are, or hold, paths.
void resolve_paths(const std::string& key, Json& value, const std::string& directory, const std::string& home) {
  constexpr std::string_view kFile = "file://";
  if (key == "connection_info") {
    resolve_member(value, "path_to_private_key", directory, home);
    resolve_member(value, "path_to_ca_file", directory, home);
  }
  if (key == "safe_directories") resolve_safe_directories(value, directory, home);
  if (!value.is_string()) return;
  std::string text = value.get<std::string>();
  if (key == "context_path" || key == "parameters") value = resolved(text, directory, home);
  if (key == "input" && text.starts_with(kFile))
    value = std::string(kFile) + resolved(text.substr(kFile.size()), directory, home);
}

// Of an object; "" of all else. The parser that checked the text passed over a byte order mark.
std::string text_of_member(std::string_view text, const std::string& key, const Json& value) {
  if (!value.is_object()) return {};
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  auto found = json_find(text, {key});
  return found ? std::string(*found) : value.dump();
}

tl::unexpected<Error> unknown_key(std::string_view key, std::string_view source) {
  std::string hint = nearest_key_hint(key, configuration_key_names());
  if (hint.empty()) hint = "docs/configuration.md lists the keys";
  return fail(ErrorCode::invalid, fmt::format("{}: unknown key \"{}\"", source, printable(key)), std::move(hint));
}

Result<Json> value_of(const ConfigurationKey& key, const ConfigurationOverride& override) {
  const std::string_view trimmed = trim(override.value);
  bool is_text = key.form == ValueForm::text || (key.form == ValueForm::text_or_json && !trimmed.starts_with('{')) ||
                 (key.form == ValueForm::text_or_list && !trimmed.starts_with('['));
  if (is_text && key.nullable && override.value.empty()) return Json();
  if (is_text) {
    if (!is_valid_utf8(override.value))
      return fail(ErrorCode::invalid,
                  fmt::format("{}: \"{}\" is not UTF-8", override.source, printable(override.value)));
    return Json(override.value);
  }
  if (trimmed.empty())
    return fail(ErrorCode::invalid, fmt::format("{} is empty: expected JSON ({})", override.source, key.type));
  Json value;
  PLZ_TRY(parse_configuration_value(override.value, override.source, value));
  return value;
}

}  // namespace

ConfigurationMerge::ConfigurationMerge(std::string home)
    : home_(std::move(home)), values_(std::make_unique<Json>(Json::object())) {}
ConfigurationMerge::~ConfigurationMerge() = default;

Result<void> ConfigurationMerge::add_file(std::string_view text, const std::string& path, FileOwner owner) {
  Json object;
  KeyPlaces places;
  PLZ_TRY(parse_configuration_json(text, printable(path), object, places));
  std::string directory = parent_path(path);
  for (auto& [key, value] : object.items()) {
    TextPlace place = places[key];
    std::string source = fmt::format("{}:{}:{}", printable(path), place.line, place.column);
    if (key == "safe_directories" && owner != FileOwner::user)
      return fail(
          ErrorCode::invalid, fmt::format("{}: {}: cannot be set here", source, key),
          "only your own file (~/.config/plz/plz.config.json) and PLZ_SAFE_DIRECTORIES say whose files to trust");
    const std::string written = text_of_member(text, key, value);
    PLZ_TRY(add_value(key, std::move(value), written, source, directory));
  }
  return {};
}

Result<void> ConfigurationMerge::add_override(const ConfigurationOverride& override, const std::string& directory) {
  const ConfigurationKey* key = find_configuration_key(override.key);
  if (!key) return unknown_key(override.key, override.source);
  PLZ_ASSIGN(Json value, value_of(*key, override));
  return add_value(override.key, std::move(value), trim(override.value), override.source, directory);
}

Result<void> ConfigurationMerge::add_value(const std::string& name, Json value, std::string_view text,
                                           const std::string& source, const std::string& directory) {
  const ConfigurationKey* key = find_configuration_key(name);
  if (!key) return unknown_key(name, source);
  bool takes_back = value.is_null() && key->nullable;
  if (auto problem = takes_back ? std::nullopt : key->check(name, value))
    return fail(ErrorCode::invalid, fmt::format("{}: {}: {}", source, problem->at, problem->words), problem->hint);
  resolve_paths(name, value, directory, home_);
  Json& merged = (*values_)[name];
  if (key->merge == ValueMerge::members && merged.is_object()) {
    merged.update(value);
    texts_[name] = merge_json_objects(texts_[name], text);
  } else {
    if (value.is_object()) texts_[name] = text;
    else texts_.erase(name);
    merged = std::move(value);
  }
  sources_[name] = source;
  return {};
}

std::string ConfigurationMerge::source_of(std::string_view key) const {
  auto found = sources_.find(key);
  return found == sources_.end() ? "" : found->second;
}

const std::string* ConfigurationMerge::text_of(std::string_view key) const {
  auto found = texts_.find(key);
  return found == texts_.end() ? nullptr : &found->second;
}

bool ConfigurationMerge::has(std::string_view key) const {
  auto found = values_->find(key);
  return found != values_->end() && !found->is_null();
}

}  // namespace plz
