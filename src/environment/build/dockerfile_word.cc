#include "environment/build/dockerfile_word.h"

#include <algorithm>

namespace plz {
namespace {

using Expanded = std::optional<std::string>;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Some builders set these by themselves.
bool is_set_by_engine(std::string_view name) {
  if (!name.starts_with("TARGET") && !name.starts_with("BUILD")) return false;
  return name.ends_with("PLATFORM") || name.ends_with("OS") || name.ends_with("ARCH") || name.ends_with("VARIANT");
}

class WordReader {
 public:
  WordReader(std::string_view rest, const std::map<std::string, std::string>& variables)
      : rest_(rest), variables_(variables) {}

  // To the end of the word, or behind the character that ends this part of it.
  Expanded read(char end) {
    std::string result;
    while (!rest_.empty()) {
      const char c = take();
      if (c == end) return result;
      Expanded part = std::string(1, c);
      if (c == '\\') return std::nullopt;
      if (c == '\'' && end != '"') part = take_until('\'');
      if (c == '"') part = read('"');
      if (c == '$') part = variable();
      if (!part) return std::nullopt;
      result += *part;
    }
    return end == '\0' ? Expanded(std::move(result)) : std::nullopt;
  }

 private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  Expanded take_until(char end) {
    const size_t at = rest_.find(end);
    if (at == rest_.npos) return std::nullopt;
    std::string text(rest_.substr(0, at));
    rest_.remove_prefix(at + 1);
    return text;
  }

  std::string take_name() {
    const size_t length = std::find_if_not(rest_.begin(), rest_.end(), is_name_character) - rest_.begin();
    std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return name;
  }

  Expanded variable() {
    const bool has_braces = rest_.starts_with('{');
    if (has_braces) take();
    const std::string name = take_name();
    const Expanded value = value_of(name);
    if (!value || !has_braces) return value;
    if (rest_.starts_with('}')) return take(), value;
    const bool otherwise = rest_.starts_with(":-"), instead = rest_.starts_with(":+");
    if (!otherwise && !instead) return std::nullopt;
    rest_.remove_prefix(2);
    const Expanded word = read('}');
    if (!word) return std::nullopt;
    return value->empty() == otherwise ? word : value;
  }

  Expanded value_of(const std::string& name) const {
    if (name.empty()) return std::nullopt;
    if (auto known = variables_.find(name); known != variables_.end()) return known->second;
    return is_set_by_engine(name) ? std::nullopt : Expanded("");
  }

  std::string_view rest_;
  const std::map<std::string, std::string>& variables_;
};

}  // namespace

std::optional<std::string> expand_word(std::string_view word, const std::map<std::string, std::string>& variables) {
  return WordReader(word, variables).read('\0');
}

}  // namespace plz
