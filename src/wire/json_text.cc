#include "wire/json_text.h"

#include <cstdio>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "wire/json_lexer.h"

namespace plz {
namespace {

using Members = std::vector<std::pair<std::string, std::string_view>>;

void append_escaped(std::string& out, unsigned char byte) {
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
  }
  if (byte >= 0x20) {
    out += static_cast<char>(byte);
    return;
  }
  char escape[8];
  snprintf(escape, sizeof escape, "\\u%04x", byte);
  out += escape;
}

void append_quoted(std::string& out, std::string_view utf8) {
  out += '"';
  for (char c : utf8) append_escaped(out, static_cast<unsigned char>(c));
  out += '"';
}

// A string token as Python would write its value. One that holds half of a surrogate pair has no
// value in UTF-8, and is kept as it is.
void append_normalised(std::string& out, std::string_view token) {
  if (token.find('\\') == token.npos) {
    out += token;
    return;
  }
  std::string value = decode_json_string(token);
  if (value.find("\xef\xbf\xbd") != value.npos) out += token;
  else append_quoted(out, value);
}

// Writes tokens indented by two. What it needs to know of the nesting is its depth.
class Indenter {
 public:
  explicit Indenter(std::string& out) : out_(out) {}

  void open(std::string_view token) {
    value(token);
    ++depth_;
    fresh_ = true;
  }
  void close(std::string_view token) {
    --depth_;
    if (!std::exchange(fresh_, false)) line();
    out_ += token;
  }
  void value(std::string_view token) {
    if (std::exchange(fresh_, false)) line();
    out_ += token;
  }
  void string(std::string_view token) {
    value({});
    append_normalised(out_, token);
  }
  void comma() {
    out_ += ',';
    line();
  }
  void colon() { out_ += ": "; }

 private:
  void line() {
    out_ += '\n';
    out_.append(2 * depth_, ' ');
  }
  std::string& out_;
  size_t depth_ = 0;
  bool fresh_ = false;  // just opened: nothing in it yet
};

Members members_of(std::string_view object) {
  Members members;
  JsonLexer lexer(object);
  for (JsonToken token = lexer.next(); token != JsonToken::end && token != JsonToken::bad; token = lexer.next()) {
    if (token != JsonToken::string) continue;
    std::string name = decode_json_string(lexer.token());
    lexer.next();  // the colon
    std::string_view value = first_json_value(object.substr(lexer.position()));
    if (value.empty()) break;
    members.emplace_back(std::move(name), value);
    lexer.skip_to(static_cast<size_t>(value.data() - object.data()) + value.size());
  }
  return members;
}

}  // namespace

Result<JsonText> parse_json_text(std::string_view text) {
  PLZ_TRY(check_json(text, JsonDialect::strict));
  return JsonText{std::string(trim(text))};
}

Result<JsonText> parse_json_object(std::string_view text, std::string_view what) {
  auto json = parse_json_text(text);
  if (!json) return fail(std::move(json).error().with_context(std::string(what)));
  if (json->text.front() != '{') return fail(ErrorCode::invalid, std::string(what) + " must be a JSON object");
  return json;
}

bool is_measure_json(std::string_view text) { return check_json(text, JsonDialect::measure).has_value(); }

std::string strict_json(std::string_view measure_text) {
  std::string out;
  out.reserve(measure_text.size());
  JsonLexer lexer(measure_text, JsonDialect::measure);
  for (JsonToken token = lexer.next(); token != JsonToken::end && token != JsonToken::bad; token = lexer.next()) {
    if (token == JsonToken::not_finite) append_quoted(out, lexer.token());
    else out += lexer.token();
  }
  return out;
}

std::string indent_json(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  Indenter indenter(out);
  JsonLexer lexer(text, JsonDialect::measure);
  for (;;) {
    JsonToken token = lexer.next();
    switch (token) {
      case JsonToken::end:
      case JsonToken::bad: return out;
      case JsonToken::begin_object:
      case JsonToken::begin_array: indenter.open(lexer.token()); break;
      case JsonToken::end_object:
      case JsonToken::end_array: indenter.close(lexer.token()); break;
      case JsonToken::comma: indenter.comma(); break;
      case JsonToken::colon: indenter.colon(); break;
      case JsonToken::string: indenter.string(lexer.token()); break;
      default: indenter.value(lexer.token());
    }
  }
}

std::string quote_json(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  if (is_valid_utf8(text)) {
    append_quoted(out, text);
    return out;
  }
  out += '"';
  while (!text.empty()) {
    size_t length = 1;  // of the longest valid piece at the front
    while (length <= 4 && length <= text.size() && !is_valid_utf8(text.substr(0, length))) ++length;
    if (length > 4 || length > text.size()) {
      char escape[8];
      snprintf(escape, sizeof escape, "\\\\x%02x", static_cast<unsigned char>(text.front()));
      out += escape;
      length = 1;
    } else {
      for (char c : text.substr(0, length)) append_escaped(out, static_cast<unsigned char>(c));
    }
    text.remove_prefix(length);
  }
  out += '"';
  return out;
}

std::string merge_json_objects(std::string_view base, std::string_view over) {
  Members merged = members_of(base);
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < merged.size(); ++i) places[merged[i].first] = i;
  for (auto& [name, value] : members_of(over)) {
    auto [place, added] = places.emplace(name, merged.size());
    if (added) merged.emplace_back(name, value);
    else merged[place->second].second = value;
  }
  std::string out = "{";
  for (const auto& [name, value] : merged) {
    if (out.size() > 1) out += ", ";
    append_quoted(out, name);
    out += ": ";
    out += value;
  }
  return out += '}';
}

}  // namespace plz
