// .dockerignore. Source: Docker's documentation ("Build context", .dockerignore files) and the matching of
// github.com/moby/patternmatcher, which it describes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace plz {

class IgnoreRules {
 public:
  IgnoreRules() = default;
  // invalid: a pattern is malformed, with its line.
  static Result<IgnoreRules> parse(std::string_view text);

  // `path` is relative to the context, without . and .. The last pattern that matches it or one of the
  // directories above it decides.
  bool ignores(std::string_view path) const;
  // Whether something below an ignored directory may be included again: some pattern begins with !.
  bool may_include_again() const { return has_exceptions_; }

 private:
  struct Rule {
    std::string pattern;
    bool exception = false;
  };
  std::vector<Rule> rules_;
  bool has_exceptions_ = false;
};

// Whether the whole path matches: * and ? stay within a name, ** spans any number of directories, [a-z] and
// \x as in Go's filepath.Match.
bool matches_path_pattern(std::string_view pattern, std::string_view path);
bool is_path_pattern(std::string_view pattern);  // nothing in it is left open: [ or a final backslash

// As Go's filepath.Clean, then without a leading slash. "" and "/" become ".".
std::string clean_context_path(std::string_view path);

}  // namespace plz
