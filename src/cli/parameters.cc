#include "cli/parameters.h"

#include <fmt/core.h>

#include "base/text.h"
#include "os/file.h"
#include "wire/json_text.h"

namespace plz {

Result<JsonText> load_parameters_file(const std::string& path) {
  auto text = read_file(path);
  if (!text) return fail(std::move(text).error().with_context("the parameters"));
  auto parameters = parse_json_object(*text, "parameters");
  if (!parameters) return fail(std::move(parameters).error().with_context(printable(path)));
  return parameters;
}

Result<JsonText> load_parameters(const Configuration& configuration) {
  if (configuration.parameters_path) return load_parameters_file(*configuration.parameters_path);
  return configuration.parameters.value_or(JsonText{"{}"});
}

}  // namespace plz
