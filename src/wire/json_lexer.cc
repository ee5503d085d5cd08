#include "wire/json_lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The value of the four hexadecimal digits at the front, or -1.
int hex4(std::string_view text) {
  if (text.size() < 4) return -1;
  int value = 0;
  for (size_t i = 0; i < 4; ++i) {
    int digit = hex_value(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// Bytes of a string that need no look: neither a quote, a backslash, a control nor beyond ASCII.
constexpr std::array<bool, 256> plain_bytes() {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x80; ++c) plain[static_cast<size_t>(c)] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = plain_bytes();

void append_utf8(std::string& out, uint32_t point) {
  auto byte = [&](uint32_t value) { out += static_cast<char>(value); };
  if (point < 0x80) return byte(point);
  if (point < 0x800) {
    byte(0xc0 | point >> 6);
  } else if (point < 0x10000) {
    byte(0xe0 | point >> 12), byte(0x80 | (point >> 6 & 0x3f));
  } else {
    byte(0xf0 | point >> 18), byte(0x80 | (point >> 12 & 0x3f)), byte(0x80 | (point >> 6 & 0x3f));
  }
  byte(0x80 | (point & 0x3f));
}

struct Position {
  size_t line = 1, column = 1;
};

Position position_of(std::string_view text, size_t offset) {
  Position position;
  for (char c : text.substr(0, offset)) {
    if (c == '\n') ++position.line, position.column = 1;
    else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++position.column;
  }
  return position;
}

// The grammar above the tokens: what may come next, and how we are nested.
class JsonChecker {
 public:
  JsonChecker(std::string_view text, JsonDialect dialect, size_t max_depth)
      : text_(text), lexer_(text, dialect), max_depth_(max_depth) {}

  Result<void> run() {
    for (;;) {
      JsonToken token = lexer_.next();
      if (token == JsonToken::bad) return problem(lexer_.problem());
      if (token == JsonToken::end && expected_ == Expected::nothing) return {};
      if (!accepts(token)) return problem(std::string("expected ") + words());
      if (nesting_.size() > max_depth_) return problem(fmt::format("nested deeper than {} levels", max_depth_));
    }
  }

 private:
  enum class Expected { value, value_or_end, key, key_or_end, colon, comma_or_end, nothing };

  bool accepts(JsonToken token) {
    switch (expected_) {
      case Expected::value_or_end:
        if (token == JsonToken::end_array) return close();
        [[fallthrough]];
      case Expected::value: return value(token);
      case Expected::key_or_end:
        if (token == JsonToken::end_object) return close();
        [[fallthrough]];
      case Expected::key: return token == JsonToken::string && expect(Expected::colon);
      case Expected::colon: return token == JsonToken::colon && expect(Expected::value);
      case Expected::comma_or_end: return separator(token);
      case Expected::nothing: return false;
    }
    return false;
  }

  bool value(JsonToken token) {
    switch (token) {
      case JsonToken::begin_object: nesting_ += '{'; return expect(Expected::key_or_end);
      case JsonToken::begin_array: nesting_ += '['; return expect(Expected::value_or_end);
      case JsonToken::string:
      case JsonToken::number:
      case JsonToken::literal:
      case JsonToken::not_finite: return after_value();
      default: return false;
    }
  }

  bool separator(JsonToken token) {
    bool object = nesting_.back() == '{';
    if (token == JsonToken::comma) return expect(object ? Expected::key : Expected::value);
    return token == (object ? JsonToken::end_object : JsonToken::end_array) && close();
  }

  bool close() {
    nesting_.pop_back();
    return after_value();
  }
  bool after_value() { return expect(nesting_.empty() ? Expected::nothing : Expected::comma_or_end); }
  bool expect(Expected next) {
    expected_ = next;
    return true;
  }

  const char* words() const {
    switch (expected_) {
      case Expected::value: return "a value";
      case Expected::value_or_end: return "a value or ']'";
      case Expected::key: return "a string as the member's name";
      case Expected::key_or_end: return "a string as the member's name, or '}'";
      case Expected::colon: return "':'";
      case Expected::comma_or_end: return nesting_.back() == '{' ? "',' or '}'" : "',' or ']'";
      case Expected::nothing: return "the end of the text";
    }
    return "something else";
  }

  Result<void> problem(std::string_view what) const {
    Position at = position_of(text_, lexer_.start());
    return fail(ErrorCode::invalid, fmt::format("line {}, column {}: {}", at.line, at.column, what));
  }

  std::string_view text_;
  JsonLexer lexer_;
  size_t max_depth_;
  std::string nesting_;  // a '{' or '[' a level
  Expected expected_ = Expected::value;
};

}  // namespace

JsonToken JsonLexer::bad(size_t where, const char* problem) {
  start_ = where;
  problem_ = problem;
  return JsonToken::bad;
}

JsonToken JsonLexer::next() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
    ++at_;
  start_ = at_;
  if (at_ == text_.size()) return JsonToken::end;
  switch (text_[at_]) {
    case '{': ++at_; return JsonToken::begin_object;
    case '}': ++at_; return JsonToken::end_object;
    case '[': ++at_; return JsonToken::begin_array;
    case ']': ++at_; return JsonToken::end_array;
    case ',': ++at_; return JsonToken::comma;
    case ':': ++at_; return JsonToken::colon;
    case '"': return string();
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return number();
    default: return word();
  }
}

JsonToken JsonLexer::string() {
  bool ascii = true;
  for (size_t i = at_ + 1;; ++i) {
    while (i < text_.size() && kPlain[static_cast<unsigned char>(text_[i])]) ++i;
    if (i >= text_.size()) return bad(start_, "a string that does not end");
    auto byte = static_cast<unsigned char>(text_[i]);
    if (byte == '"') {
      at_ = i + 1;
      if (!ascii && !is_valid_utf8(token())) return bad(start_, "a string that is not valid UTF-8");
      return JsonToken::string;
    }
    if (byte >= 0x80) {
      ascii = false;
      continue;
    }
    if (byte != '\\') return bad(i, "a control character within a string: it must be escaped");
    if (++i >= text_.size()) return bad(start_, "a string that does not end");
    if (text_[i] == 'u') {
      if (hex4(text_.substr(i + 1)) < 0) return bad(i - 1, "\\u needs four hexadecimal digits");
      i += 4;
    } else if (std::string_view("\"\\/bfnrt").find(text_[i]) == std::string_view::npos) {
      return bad(i - 1, "an unknown escape");
    }
  }
}

JsonToken JsonLexer::number() {
  size_t i = at_;
  auto digits = [&] {
    size_t from = i;
    while (i < text_.size() && is_digit(text_[i])) ++i;
    return i > from;
  };
  if (text_[i] == '-') ++i;
  if (i < text_.size() && text_[i] == 'I') return word();
  size_t first = i;
  if (!digits()) return bad(start_, "a '-' without a number");
  if (text_[first] == '0' && i > first + 1) return bad(start_, "a number with a leading zero");
  if (i < text_.size() && text_[i] == '.') {
    ++i;
    if (!digits()) return bad(start_, "a number without digits after its point");
  }
  if (i < text_.size() && (text_[i] == 'e' || text_[i] == 'E')) {
    ++i;
    if (i < text_.size() && (text_[i] == '+' || text_[i] == '-')) ++i;
    if (!digits()) return bad(start_, "a number without digits in its exponent");
  }
  at_ = i;
  return JsonToken::number;
}

JsonToken JsonLexer::word() {
  auto is = [&](std::string_view word) {
    if (text_.substr(start_, word.size()) != word) return false;
    at_ = start_ + word.size();
    return true;
  };
  if (is("true") || is("false") || is("null")) return JsonToken::literal;
  if (is("NaN") || is("Infinity") || is("-Infinity")) {
    if (dialect_ == JsonDialect::measure) return JsonToken::not_finite;
    return bad(start_, "NaN and Infinity are not JSON");
  }
  if (text_[start_] == '\'') return bad(start_, "a string must be in double quotes");
  return bad(start_, "not a JSON value");
}

Result<void> check_json(std::string_view text, JsonDialect dialect, size_t max_depth) {
  return JsonChecker(text, dialect, max_depth).run();
}

std::string_view first_json_value(std::string_view text) {
  JsonLexer lexer(text, JsonDialect::measure);
  std::optional<size_t> start;
  size_t depth = 0;
  for (;;) {
    JsonToken token = lexer.next();
    if (token == JsonToken::end || token == JsonToken::bad) return {};
    if (!start) start = lexer.start();
    if (token == JsonToken::begin_object || token == JsonToken::begin_array) ++depth;
    if (token == JsonToken::end_object || token == JsonToken::end_array) --depth;
    if (depth == 0) return text.substr(*start, lexer.position() - *start);
  }
}

std::string decode_json_string(std::string_view token) {
  std::string_view text = token.substr(1, token.size() - 2);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t escape = std::min(text.find('\\', i), text.size());
    out += text.substr(i, escape - i);
    if (escape == text.size()) break;
    i = escape + 2;
    switch (text[escape + 1]) {
      case 'b': out += '\b'; continue;
      case 'f': out += '\f'; continue;
      case 'n': out += '\n'; continue;
      case 'r': out += '\r'; continue;
      case 't': out += '\t'; continue;
      case 'u': break;
      default: out += text[escape + 1]; continue;
    }
    auto point = static_cast<uint32_t>(hex4(text.substr(i)));
    i += 4;
    if (point >= 0xd800 && point < 0xe000) {
      bool pair = point < 0xdc00 && text.substr(i, 2) == "\\u";
      int low = pair ? hex4(text.substr(i + 2)) : -1;
      if (low >= 0xdc00 && low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10) + (static_cast<uint32_t>(low) - 0xdc00);
        i += 6;
      } else {
        point = 0xfffd;
      }
    }
    append_utf8(out, point);
  }
  return out;
}

}  // namespace plz
