#include "cli/parameters.h"

#include <cstdio>
#include <optional>
#include <set>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/json_view.h"
#include "os/file.h"
#include "wire/json_text.h"

namespace plz {
namespace {

// "line 2, column 5: words" as editors and compilers write it: "PATH:2:5: words".
std::string with_place(const std::string& path, const std::string& message) {
  size_t line = 0, column = 0;
  int words = 0;
  if (sscanf(message.c_str(), "line %zu, column %zu: %n", &line, &column, &words) < 2 || words == 0)
    return fmt::format("{}: {}", printable(path), message);
  return fmt::format("{}:{}:{}: {}", printable(path), line, column, message.substr(static_cast<size_t>(words)));
}

// The first that stands twice in one object, at any depth: readers take the one or the other.
std::optional<std::string> repeated_key(std::string_view text) {
  std::set<std::string> names;
  for (const auto& [name, value] : json_members(text)) {
    if (!names.insert(name).second) return name;
    if (auto below = repeated_key(value)) return below;
  }
  if (text.starts_with('['))
    for (std::string_view element : json_elements(text))
      if (auto below = repeated_key(element)) return below;
  return std::nullopt;
}

}  // namespace

Result<JsonText> load_parameters_file(const std::string& path) {
  auto text = read_file(path);
  if (!text) return fail(std::move(text).error().with_context("the parameters"));
  auto parameters = parse_json_text(*text);
  if (!parameters)
    return fail(ErrorCode::invalid, with_place(path, parameters.error().message), parameters.error().hint);
  if (!parameters->text.starts_with('{'))
    return fail(ErrorCode::invalid, fmt::format("{}: the parameters must be a JSON object", printable(path)),
                "{\"name\": value, ...}");
  if (auto key = repeated_key(parameters->text))
    return fail(ErrorCode::invalid, fmt::format("{}: the key \"{}\" is given twice", printable(path), printable(*key)));
  return parameters;
}

Result<JsonText> load_parameters(const Configuration& configuration) {
  if (configuration.parameters_path) return load_parameters_file(*configuration.parameters_path);
  return configuration.parameters.value_or(JsonText{"{}"});
}

}  // namespace plz
