// Patterns of paths, as excluded_paths and included_paths take them: Python's recursive glob, but
// names that begin with a dot are names like any other.
//
//   *      any bytes of one name          ?      one character of one name
//   [a-z]  one of these bytes, [!a-z] not **     as a whole part: any number of directories, also none
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plz {

class Glob {
 public:
  // `pattern` and the paths matched later are relative to `root` (absolute); a pattern may also be
  // absolute. Nullopt: it can match nothing below root ("../x", "/elsewhere").
  static std::optional<Glob> make(std::string_view pattern, std::string_view root);

  bool matches(std::string_view path) const;
  // `path` itself or a directory above it matches.
  bool matches_or_covers(std::string_view path) const;
  // Something below the directory `path` could match.
  bool may_match_below(std::string_view path) const;

 private:
  std::vector<std::string> parts_;  // never empty; "**" stands for any number of names
};

// One name against one part of a pattern.
bool name_matches(std::string_view pattern, std::string_view name);

}  // namespace plz
