#include "environment/build/ignore_rules.h"

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

// One step of a pattern: what it takes, and whether the byte suits it.
struct CharacterClass {
  size_t length = 0;  // of its text in the pattern; 0: it is not closed
  bool matches = false;
};

CharacterClass match_class(std::string_view pattern, char c) {
  size_t i = 1;
  bool negated = i < pattern.size() && pattern[i] == '^';
  if (negated) ++i;
  bool found = false;
  auto next = [&] {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    return static_cast<unsigned char>(pattern[i++]);
  };
  for (size_t first = i; i < pattern.size() && (pattern[i] != ']' || i == first);) {
    unsigned char low = next(), high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      ++i;
      high = next();
    }
    auto byte = static_cast<unsigned char>(c);
    found = found || (low <= byte && byte <= high);
  }
  if (i >= pattern.size()) return {};
  return {.length = i + 1, .matches = found != negated && c != '/'};
}

// "**/" and a final "**": the rest of the pattern may begin after any slash.
bool match_any_depth(std::string_view pattern, std::string_view path) {
  pattern.remove_prefix(2);
  if (!pattern.empty() && pattern.front() == '/') pattern.remove_prefix(1);
  if (pattern.empty()) return true;
  if (matches_path_pattern(pattern, path)) return true;
  for (size_t i = 0; i < path.size(); ++i)
    if (path[i] == '/' && matches_path_pattern(pattern, path.substr(i + 1))) return true;
  return false;
}

bool match_within_name(std::string_view pattern, std::string_view path) {
  pattern.remove_prefix(1);
  for (size_t i = 0;; ++i) {
    if (matches_path_pattern(pattern, path.substr(i))) return true;
    if (i == path.size() || path[i] == '/') return false;
  }
}

}  // namespace

bool matches_path_pattern(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**")) return match_any_depth(pattern, path);
    if (pattern.front() == '*') return match_within_name(pattern, path);
    if (path.empty()) return false;
    size_t length = 1;
    if (pattern.front() == '?') {
      if (path.front() == '/') return false;
    } else if (pattern.front() == '[') {
      CharacterClass found = match_class(pattern, path.front());
      if (!found.matches) return false;
      length = found.length;
    } else {
      size_t at = pattern.front() == '\\' && pattern.size() > 1 ? 1 : 0;
      if (pattern[at] != path.front()) return false;
      length = at + 1;
    }
    pattern.remove_prefix(length);
    path.remove_prefix(1);
  }
  return path.empty();
}

bool is_path_pattern(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && ++i == pattern.size()) return false;
    if (pattern[i] != '[') continue;
    CharacterClass found = match_class(pattern.substr(i), 'x');
    if (found.length == 0) return false;
    i += found.length - 1;
  }
  return true;
}

std::string clean_context_path(std::string_view path) {
  std::string clean = absolute_path(path, "/");
  clean.erase(0, 1);
  return clean.empty() ? "." : clean;
}

Result<IgnoreRules> IgnoreRules::parse(std::string_view text) {
  IgnoreRules rules;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.starts_with('#')) continue;
    line = trim(line);
    if (line.empty()) continue;
    Rule rule{.exception = line.front() == '!'};
    if (rule.exception) line = trim(line.substr(1));
    rule.pattern = clean_context_path(line);
    if (line.empty() || !is_path_pattern(rule.pattern))
      return fail(ErrorCode::invalid,
                  "line " + std::to_string(number) + " of .dockerignore is no pattern: '" + printable(line) + "'");
    rules.has_exceptions_ = rules.has_exceptions_ || rule.exception;
    rules.rules_.push_back(std::move(rule));
  }
  return rules;
}

bool IgnoreRules::ignores(std::string_view path) const {
  bool ignored = false;
  for (const Rule& rule : rules_) {
    if (rule.exception != ignored) continue;
    bool matched = matches_path_pattern(rule.pattern, path);
    for (size_t slash = path.find('/'); !matched && slash != path.npos; slash = path.find('/', slash + 1))
      matched = matches_path_pattern(rule.pattern, path.substr(0, slash));
    if (matched) ignored = !rule.exception;
  }
  return ignored;
}

}  // namespace plz
