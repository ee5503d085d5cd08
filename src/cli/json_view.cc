#include "cli/json_view.h"

#include "base/text.h"
#include "wire/json_lexer.h"

namespace plz {
namespace {

// Reads one value and returns its text.
std::string_view take_value(JsonLexer& lexer, std::string_view text) {
  const std::string_view value = first_json_value(text.substr(lexer.position()));
  lexer.skip_to(static_cast<size_t>(value.data() - text.data()) + value.size());
  return value;
}

}  // namespace

std::vector<std::pair<std::string, std::string_view>> json_members(std::string_view text) {
  std::vector<std::pair<std::string, std::string_view>> members;
  JsonLexer lexer(text);
  if (lexer.next() != JsonToken::begin_object) return members;
  while (lexer.next() == JsonToken::string) {
    std::string name = decode_json_string(lexer.token());
    if (lexer.next() != JsonToken::colon) break;
    members.emplace_back(std::move(name), take_value(lexer, text));
    if (lexer.next() != JsonToken::comma) break;
  }
  return members;
}

std::vector<std::string_view> json_elements(std::string_view text) {
  std::vector<std::string_view> elements;
  const std::string_view trimmed = trim(text);
  JsonLexer lexer(trimmed);
  if (lexer.next() != JsonToken::begin_array) return elements;
  const size_t begin = lexer.position();
  if (lexer.next() == JsonToken::end_array) return elements;
  lexer.skip_to(begin);
  do {
    elements.push_back(take_value(lexer, trimmed));
  } while (lexer.next() == JsonToken::comma);
  return elements;
}

std::optional<std::string_view> json_find(std::string_view text, const std::vector<std::string_view>& path) {
  for (std::string_view name : path) {
    std::optional<std::string_view> found;
    for (const auto& [member, value] : json_members(text))
      if (member == name) found = value;
    if (!found) return std::nullopt;
    text = *found;
  }
  return text;
}

std::string json_plain(std::string_view text) {
  text = trim(text);
  return text.starts_with('"') ? decode_json_string(text) : std::string(text);
}

bool is_json_object(std::string_view text) { return trim(text).starts_with('{'); }

}  // namespace plz
