// JSON (RFC 8259) as a row of tokens, without building anything from it: what plz carries keeps its
// exact text, and 50 MB of it cost no tree.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace plz {

enum class JsonToken {
  begin_object,
  end_object,
  begin_array,
  end_array,
  comma,
  colon,
  string,
  number,
  literal,     // literal: true, false, null
  not_finite,  // NaN, Infinity, -Infinity, where they are allowed
  end,
  bad,
};

enum class JsonDialect { strict, measure };  // measure: Python's NaN and Infinity too

// How deep arrays and objects may nest. Documents of the API may carry such a text a few levels down.
inline constexpr size_t kMaxJsonDepth = 200;
inline constexpr size_t kMaxDocumentDepth = kMaxJsonDepth + 24;

// Checks each token for itself (strings for UTF-8 and escapes), not their order.
class JsonLexer {
 public:
  explicit JsonLexer(std::string_view text, JsonDialect dialect = JsonDialect::strict)
      : text_(text), dialect_(dialect) {}

  JsonToken next();
  std::string_view token() const { return text_.substr(start_, at_ - start_); }
  size_t start() const { return start_; }  // of the last token, or where a bad one goes wrong
  size_t position() const { return at_; }  // after the last token
  void skip_to(size_t position) { at_ = position; }
  const char* problem() const { return problem_; }  // of a bad token

 private:
  JsonToken string();
  JsonToken number();
  JsonToken word();
  JsonToken bad(size_t where, const char* problem);

  std::string_view text_;
  JsonDialect dialect_;
  size_t start_ = 0, at_ = 0;
  const char* problem_ = "";
};

// Whether the whole text is one value. The error's message says line, column and what is wrong there:
// "line 3, column 7: expected ',' or '}'". Needs no stack, however deep the text nests.
Result<void> check_json(std::string_view text, JsonDialect dialect, size_t max_depth = kMaxJsonDepth);

// The first value in `text`, which begins with one (checked before), as its text.
std::string_view first_json_value(std::string_view text);

// Decodes a string token, quotes included. Half of a surrogate pair becomes U+FFFD.
std::string decode_json_string(std::string_view token);

}  // namespace plz
