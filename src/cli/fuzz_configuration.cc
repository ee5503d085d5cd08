// Any bytes as a configuration file, and as a value from the environment: an error or a
// configuration, and what was taken is taken again from its own record.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "cli/configuration_keys.h"
#include "cli/configuration_merge.h"
#include "cli/configuration_rules.h"

namespace {

void fuzz_file(std::string_view text) {
  plz::ConfigurationMerge merge("/home/ada");
  if (!merge.add_file(text, "/home/ada/work/plz.config.json")) return;
  plz::Configuration configuration;
  for (const auto& [name, value] : merge.values().items()) plz::find_configuration_key(name)->set(value, configuration);
  static_cast<void>(plz::check_configuration_rules(configuration, merge));

  plz::ConfigurationMerge again("/elsewhere");
  if (!again.add_file(merge.values().dump(), "/elsewhere/plz.config.json") || again.values() != merge.values()) abort();
}

void fuzz_override(std::string_view text) {
  for (auto key : plz::configuration_key_names()) {
    plz::ConfigurationMerge merge("/home/ada");
    static_cast<void>(merge.add_override({std::string(key), std::string(text), "PLZ_X"}, "/home/ada/work"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz_file(text);
  fuzz_override(text);
  return 0;
}
