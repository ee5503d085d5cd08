// .dockerignore. Source: Docker's documentation ("Build context", .dockerignore files) and the matching of
// github.com/moby/patternmatcher, which it describes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "environment/build/path_pattern.h"

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
    PathPattern pattern;
    bool exception;
  };
  std::vector<Rule> rules_;
  bool has_exceptions_ = false;
};

// As Go's filepath.Clean, then without a leading slash. "" and "/" become ".".
std::string clean_context_path(std::string_view path);

}  // namespace plz
