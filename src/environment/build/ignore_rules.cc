#include "environment/build/ignore_rules.h"

#include "base/text.h"
#include "os/file.h"

namespace plz {

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
    const bool exception = line.front() == '!';
    if (exception) line = trim(line.substr(1));
    PathPattern pattern(clean_context_path(line));
    if (line.empty() || !pattern.is_complete())
      return fail(ErrorCode::invalid,
                  "line " + std::to_string(number) + " of .dockerignore is no pattern: '" + printable(line) + "'");
    rules.has_exceptions_ = rules.has_exceptions_ || exception;
    rules.rules_.push_back({std::move(pattern), exception});
  }
  return rules;
}

bool IgnoreRules::ignores(std::string_view path) const {
  bool ignored = false;
  for (const Rule& rule : rules_) {
    if (rule.exception != ignored) continue;
    if (rule.pattern.matches_or_covers(path)) ignored = !rule.exception;
  }
  return ignored;
}

}  // namespace plz
