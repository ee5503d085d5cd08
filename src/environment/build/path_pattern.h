// Patterns of .dockerignore and of COPY. Source: Go's filepath.Match, with ** as Docker's documentation has it.
#pragma once

#include <bitset>
#include <cstddef>
#include <string_view>
#include <vector>

namespace plz {

// Its time is that of the pattern's length times the path's, whatever the pattern.
class PathPattern {
 public:
  // * and ? stay within a name, ** spans any number of directories, [a-z] is one byte of those, \x is x. What is left
  // open makes a pattern that matches nothing ([) or is the byte itself (a final backslash).
  explicit PathPattern(std::string_view text);

  // Nothing in it was left open.
  bool is_complete() const { return complete_; }
  // The whole path.
  bool matches(std::string_view path) const { return match(path, false); }
  // The path, or a directory above it.
  bool matches_or_covers(std::string_view path) const { return match(path, true); }

 private:
  enum class Kind {
    one,    // a byte of `bytes`
    name,   // any bytes within a name
    depth,  // nothing, or whatever ends with a slash
    rest,   // anything, to the end
  };
  struct Element {
    Kind kind;
    std::bitset<256> bytes = {};
  };
  class States;

  size_t add_class(std::string_view text);
  bool match(std::string_view path, bool directories_too) const;

  std::vector<Element> elements_;
  bool complete_ = true;
};

}  // namespace plz
