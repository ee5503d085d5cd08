// The table of keys: what each takes, what it means, and where its value goes. Everything that
// knows the keys (checks, the nearest name, PLZ_<KEY>, docs/configuration.md) reads it from here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/configuration.h"
#include "cli/configuration_json.h"

namespace plz {

// What is wrong with a value: "expected an integer, found null". `at` is the key, or the member of an
// object or list: "resources.memory", "command[2]".
struct ValueProblem {
  std::string at;
  std::string words;
  std::string hint;
};

enum class ValueForm {
  text,          // the environment and flags give it as it is
  json,          // … as JSON
  text_or_json,  // … as JSON where it begins with {
  text_or_list,  // … as JSON where it begins with [
};

enum class ValueMerge { replace, members };

struct ConfigurationKey {
  std::string_view name;
  std::string_view type;      // for the reference
  std::string_view standard;  // the default, for the reference
  std::string_view meaning;   // for the reference
  ValueForm form = ValueForm::json;
  ValueMerge merge = ValueMerge::replace;
  bool nullable = false;  // null takes back what a lower source said
  std::optional<ValueProblem> (*check)(const std::string& at, const Json& value) = nullptr;
  // Takes a checked value (null where nullable).
  void (*set)(const Json& value, Configuration& configuration) = nullptr;
};

// A text alone stands for a list of it, null for an empty one.
std::vector<std::string> list_of_texts(const Json& value);

std::span<const ConfigurationKey> configuration_keys();
const ConfigurationKey* find_configuration_key(std::string_view name);  // nullptr: there is none
// `did you mean "command"?`, or empty.
std::string nearest_key_hint(std::string_view name, std::span<const std::string_view> known);
std::vector<std::string_view> configuration_key_names();

// "4GiB", "512m", "1.5 G", "100000": bytes. K, M, G, T and KiB … are powers of 1024; KB, MB, GB, TB of
// 1000. Nullopt: something else.
std::optional<uint64_t> parse_memory(std::string_view text);

// The table as it stands in docs/configuration.md.
std::string configuration_reference();

}  // namespace plz
