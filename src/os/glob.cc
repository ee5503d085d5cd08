#include "os/glob.h"

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

using Parts = std::vector<std::string>;
using Names = std::vector<std::string_view>;

// How many bytes the character at the front takes; a byte that is not UTF-8 is one of its own.
size_t character_length(std::string_view text) {
  auto first = static_cast<unsigned char>(text.front());
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
  return length <= text.size() && is_valid_utf8(text.substr(0, length)) ? length : 1;
}

struct Brackets {
  bool matched = false;
  size_t length = 0;  // of the whole [...]; 0: it is never closed, so '[' is an ordinary byte
};

Brackets match_brackets(std::string_view pattern, char byte) {
  size_t at = 1;
  bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool found = false;
  for (size_t first = at; at < pattern.size(); ++at) {
    if (pattern[at] == ']' && at > first) return {found != negated, at + 1};
    auto low = static_cast<unsigned char>(pattern[at]), high = low;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      high = static_cast<unsigned char>(pattern[at + 2]);
      at += 2;
    }
    auto value = static_cast<unsigned char>(byte);
    found = found || (low <= value && value <= high);
  }
  return {};
}

// Whether the first element of `pattern` takes the front of `name`; both are moved past it.
bool take_one(std::string_view& pattern, std::string_view& name) {
  if (pattern.empty() || name.empty()) return false;
  size_t taken = 1, length = 1;
  if (pattern.front() == '?') {
    length = character_length(name);
  } else if (Brackets brackets;
             pattern.front() == '[' && (brackets = match_brackets(pattern, name.front())).length > 0) {
    if (!brackets.matched) return false;
    taken = brackets.length;
  } else if (pattern.front() != name.front()) {
    return false;
  }
  pattern.remove_prefix(taken);
  name.remove_prefix(length);
  return true;
}

// As name_matches, with ** for *: only the last ** ever has to take more, so this is never exponential.
bool match(const Parts& parts, const Names& names, size_t count) {
  size_t part = 0, name = 0, retry_part = 0, retry_name = 0;
  bool retry = false;
  for (;;) {
    if (part == parts.size() && name == count) return true;
    if (part < parts.size() && parts[part] == "**") {
      retry_part = ++part;
      retry_name = name;
      retry = true;
    } else if (part < parts.size() && name < count && name_matches(parts[part], names[name])) {
      ++part;
      ++name;
    } else {
      if (!retry || retry_name == count) return false;
      part = retry_part;
      name = ++retry_name;
    }
  }
}

bool may_match_below(const Parts& parts, size_t part, const Names& names, size_t name) {
  if (part == parts.size()) return false;
  if (name == names.size() || parts[part] == "**") return true;
  return name_matches(parts[part], names[name]) && may_match_below(parts, part + 1, names, name + 1);
}

}  // namespace

bool name_matches(std::string_view pattern, std::string_view name) {
  // Where to go on when what follows the last * does not fit: the * takes one byte more.
  std::string_view retry_pattern, retry_name;
  bool retry = false;
  for (;;) {
    if (pattern.empty() && name.empty()) return true;
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      retry_pattern = pattern;
      retry_name = name;
      retry = true;
    } else if (!take_one(pattern, name)) {
      if (!retry || retry_name.empty()) return false;
      retry_name.remove_prefix(1);
      pattern = retry_pattern;
      name = retry_name;
    }
  }
}

std::optional<Glob> Glob::make(std::string_view pattern, std::string_view root) {
  if (pattern.empty()) return std::nullopt;
  Glob glob;
  std::string path = absolute_path(pattern, root);
  if (path == root) {
    glob.parts_.emplace_back("**");
    return glob;
  }
  std::string above = root == "/" ? "/" : std::string(root) + "/";
  if (!path.starts_with(above)) return std::nullopt;
  for (auto part : split(std::string_view(path).substr(above.size()), '/')) {
    glob.parts_.emplace_back(part);
  }
  return glob;
}

bool Glob::matches(std::string_view path) const {
  Names names = split(path, '/');
  return match(parts_, names, names.size());
}

bool Glob::matches_or_covers(std::string_view path) const {
  Names names = split(path, '/');
  for (size_t count = names.size(); count > 0; --count)
    if (match(parts_, names, count)) return true;
  return false;
}

bool Glob::may_match_below(std::string_view path) const { return plz::may_match_below(parts_, 0, split(path, '/'), 0); }

}  // namespace plz
