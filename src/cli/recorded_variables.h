// Of which environment variables the values are recorded. docs/metadata.md states the rule.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plz {

class RecordedVariables {
 public:
  // `further` are patterns of names, beside those that are known to change results: "LIGHTNING_*".
  explicit RecordedVariables(std::vector<std::string> further = {}) : further_(std::move(further)) {}

  // By its name; never where name or value look like a secret.
  bool is_recorded(const std::string& name, std::string_view value) const;

 private:
  std::vector<std::string> further_;
};

// Numerical libraries, interpreters, loaders or frameworks decide by it.
bool is_known_to_change_results(const std::string& name);
// A part of the name says so: TOKEN, KEY, PASSWORD, …; in any case of letters.
bool is_name_of_secret(std::string_view name);
// A password in a URL, a token of a known form, or a long text of letters and digits as nobody types it, other than
// as the name of a directory in a list of paths.
bool looks_like_secret(std::string_view value);

}  // namespace plz
