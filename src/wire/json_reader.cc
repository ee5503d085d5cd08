#include "wire/json_reader.h"

#include <charconv>
#include <cmath>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

bool is_whole_number(std::string_view text) {
  return text.front() == '-' || (text.front() >= '0' && text.front() <= '9');
}

template <typename T>
bool parse_number(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string JsonPlace::to_string() const {
  std::string text = parent ? parent->to_string() : "";
  if (index) return text + "[" + std::to_string(*index) + "]";
  if (!text.empty() && !name.empty()) text += '.';
  return text + printable(name);
}

JsonReader::JsonReader(std::string_view text, const JsonPlace& place, std::optional<Error>& error)
    : place_(place), error_(error) {
  JsonLexer lexer(text);
  lexer.next();  // the brace
  while (lexer.next() == JsonToken::string || lexer.token() == ",") {
    if (lexer.token() == ",") continue;
    std::string name = decode_json_string(lexer.token());
    lexer.next();  // the colon
    std::string_view value = first_json_value(text.substr(lexer.position()));
    lexer.skip_to(static_cast<size_t>(value.data() - text.data()) + value.size());
    members_.emplace_back(std::move(name), value);
  }
}

std::vector<std::string_view> JsonReader::elements(std::string_view array) {
  std::vector<std::string_view> elements;
  size_t at = 1;
  for (;;) {
    JsonLexer lexer(array);
    lexer.skip_to(at);
    JsonToken token = lexer.next();
    if (token == JsonToken::comma) {
      at = lexer.position();
      continue;
    }
    if (token == JsonToken::end_array || token == JsonToken::end || token == JsonToken::bad) return elements;
    std::string_view value = first_json_value(array.substr(lexer.start()));
    elements.push_back(value);
    at = static_cast<size_t>(value.data() - array.data()) + value.size();
  }
}

// The last of several members of one name wins, as in other readers.
std::optional<std::string_view> JsonReader::find(std::string_view name) const {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member)
    if (member->first == name) return member->second;
  return std::nullopt;
}

void JsonReader::problem(const JsonPlace& place, std::string_view what) {
  if (!error_) error_ = Error{ErrorCode::invalid, fmt::format("{} {}", place.to_string(), what), {}};
}

void JsonReader::object(std::string_view name, JsonText& value) {
  auto text = find(name);
  if (!text) return;
  if (text->front() != '{') return problem(name, "must be an object");
  value.text = *text;
}

void JsonReader::read(const JsonPlace& place, std::string_view text, bool& value) {
  if (text == "true" || text == "false") value = text == "true";
  else problem(place, "must be true or false");
}

void JsonReader::read(const JsonPlace& place, std::string_view text, double& value) {
  if (!is_whole_number(text)) return problem(place, "must be a number");
  if (!parse_number(text, value) || !std::isfinite(value)) problem(place, "must be a number that a double can hold");
}

void JsonReader::read_unsigned(const JsonPlace& place, std::string_view text, uint64_t& value) {
  if (!is_whole_number(text)) return problem(place, "must be a number");
  if (!parse_number(text, value)) problem(place, "must be a whole number from 0 to 18446744073709551615");
}

void JsonReader::read_signed(const JsonPlace& place, std::string_view text, int64_t min, int64_t max, int64_t& value) {
  if (!is_whole_number(text)) return problem(place, "must be a number");
  if (parse_number(text, value) && value >= min && value <= max) return;
  value = 0;
  problem(place, fmt::format("must be a whole number from {} to {}", min, max));
}

void JsonReader::read(const JsonPlace& place, std::string_view text, std::string& value) {
  if (text.front() == '"') {
    value = decode_json_string(text);
    return;
  }
  if (text.front() != '{') return problem(place, "must be a string");
  JsonReader object(text, place, error_);
  auto encoded = object.find("base64");
  auto bytes = encoded && encoded->front() == '"' ? base64_decode(decode_json_string(*encoded)) : std::nullopt;
  if (bytes) value = std::move(*bytes);
  else problem(place, "must be a string, or {\"base64\": …}");
}

void JsonReader::read(const JsonPlace& place, std::string_view text, Digest& value) {
  auto parsed = text.front() == '"' ? Digest::parse(decode_json_string(text)) : std::nullopt;
  if (parsed) value = *parsed;
  else problem(place, "must be a digest (64 hexadecimal digits)");
}

void JsonReader::read(const JsonPlace& place, std::string_view text, Timestamp& value) {
  auto parsed = text.front() == '"' ? parse_rfc3339(decode_json_string(text)) : std::nullopt;
  if (parsed) value = *parsed;
  else problem(place, "must be a time (RFC 3339)");
}

void JsonReader::read(const JsonPlace&, std::string_view text, JsonText& value) { value.text = text; }

}  // namespace plz
