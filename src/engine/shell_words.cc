#include "engine/shell_words.h"

namespace plz {

Result<std::vector<std::string>> split_shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false, is_escaped = false;
  char quote = 0;
  for (char c : text) {
    if (is_escaped) {
      // Between double quotes a backslash stands for itself, unless it is before one of these.
      if (quote == '"' && c != '"' && c != '\\') word += '\\';
      word += c;
      is_escaped = false;
    } else if (c == '\\' && quote != '\'') {
      is_escaped = in_word = true;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
      else word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return fail(ErrorCode::invalid, "has a quotation that is not closed");
  if (is_escaped) return fail(ErrorCode::invalid, "ends with a backslash");
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace plz
