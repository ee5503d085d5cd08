#include "environment/build/dockerfile.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "wire/json_lexer.h"

namespace plz {
namespace {

constexpr std::string_view kBlanks = " \t\v\f\r";

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
  return result;
}

// "# escape=`" counts only before everything that is no directive.
char escape_character(std::string_view text) {
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (!line.starts_with('#')) break;
    line = trim(line.substr(1));
    size_t equals = line.find('=');
    if (equals == line.npos) break;
    if (upper(trim(line.substr(0, equals))) == "ESCAPE" && trim(line.substr(equals + 1)) == "`") return '`';
  }
  return '\\';
}

// The line without the mark that the next one belongs to it; nullopt: there is none.
std::optional<std::string_view> continued(std::string_view line, char escape) {
  size_t last = line.find_last_not_of(kBlanks);
  if (last == line.npos || line[last] != escape) return std::nullopt;
  if (last > 0 && line[last - 1] == escape) return std::nullopt;
  return line.substr(0, last);
}

std::string_view take_word(std::string_view& text) {
  text = trim(text);
  std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

DockerInstruction instruction_of(std::string_view line) {
  DockerInstruction instruction{.name = upper(take_word(line))};
  for (line = trim(line); line.starts_with("--"); line = trim(line)) instruction.flags.emplace_back(take_word(line));
  instruction.rest = line;
  return instruction;
}

std::optional<std::vector<std::string>> words_of_json(std::string_view text) {
  if (!text.starts_with('[') || !check_json(text, JsonDialect::strict)) return std::nullopt;
  std::vector<std::string> words;
  JsonLexer lexer(text);
  lexer.next();
  for (JsonToken token = lexer.next(); token != JsonToken::end_array; token = lexer.next()) {
    if (token == JsonToken::comma) continue;
    if (token != JsonToken::string) return std::nullopt;
    words.push_back(decode_json_string(lexer.token()));
  }
  return words;
}

}  // namespace

std::vector<DockerInstruction> parse_dockerfile(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const char escape = escape_character(text);
  std::vector<DockerInstruction> instructions;
  std::string logical;
  for (std::string_view line : split(text, '\n')) {
    std::string_view bare = trim(line);
    if (bare.empty() || bare.starts_with('#')) continue;
    if (auto part = continued(line, escape)) {
      logical += *part;
      continue;
    }
    logical += line;
    instructions.push_back(instruction_of(logical));
    logical.clear();
  }
  if (!trim(logical).empty()) instructions.push_back(instruction_of(logical));
  return instructions;
}

std::vector<std::string> dockerfile_words(std::string_view rest) {
  if (auto words = words_of_json(trim(rest))) return *words;
  std::vector<std::string> words;
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) words.emplace_back(word);
  return words;
}

}  // namespace plz
