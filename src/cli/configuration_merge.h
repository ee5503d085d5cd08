// Lays the sources of a configuration over each other, lowest first.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/configuration.h"
#include "cli/configuration_json.h"

namespace plz {

class ConfigurationMerge {
 public:
  // Paths that begin with ~/ are below `home`.
  explicit ConfigurationMerge(std::string home);
  ~ConfigurationMerge();

  // The user's own may say which others are believed.
  enum class FileOwner { anybody, user };
  // A file's text; its relative paths are below its directory. `path` is absolute.
  Result<void> add_file(std::string_view text, const std::string& path, FileOwner owner = FileOwner::anybody);
  // Relative paths are below `directory`.
  Result<void> add_override(const ConfigurationOverride& override, const std::string& directory);

  // An object: every key that some source gave, checked, its paths absolute.
  const Json& values() const { return *values_; }
  // Who gave a key last: "/home/ada/plz.config.json:3:5", "--port". Empty: nobody.
  std::string source_of(std::string_view key) const;
  bool has(std::string_view key) const;  // somebody gave it, and it is not null
  // Of a key whose value is an object: that, with the digits of its numbers and the order of its keys as they were
  // written. Null: it is no object.
  const std::string* text_of(std::string_view key) const;

 private:
  Result<void> add_value(const std::string& key, Json value, std::string_view text, const std::string& source,
                         const std::string& directory);

  std::string home_;
  std::unique_ptr<Json> values_;
  std::map<std::string, std::string, std::less<>> texts_;  // of objects
  std::map<std::string, std::string, std::less<>> sources_;
};

}  // namespace plz
