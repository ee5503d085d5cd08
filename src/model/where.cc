#include "model/where.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace plz {
namespace {

// Bounds what an evaluator has to recurse into.
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxTests = 256;

constexpr std::pair<std::string_view, WhereOperator> kOperators[] = {
    {"<=", WhereOperator::less_or_equal}, {"<", WhereOperator::less},     {">=", WhereOperator::greater_or_equal},
    {">", WhereOperator::greater},        {"==", WhereOperator::equal},   {"=", WhereOperator::equal},
    {"!=", WhereOperator::not_equal},     {"~", WhereOperator::contains},
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

bool ends_word(char c) { return is_blank(c) || std::string_view("()<>=!~\"'").find(c) != std::string_view::npos; }

// A JSON number, or one that people write: .5, 5., +5. Words such as 007 and 1abc are text.
bool looks_like_number(std::string_view word) {
  if (!word.empty() && (word.front() == '-' || word.front() == '+')) word.remove_prefix(1);
  size_t i = 0;
  auto digits = [&] {
    size_t from = i;
    while (i < word.size() && is_digit(word[i])) ++i;
    return i - from;
  };
  size_t whole = digits();
  if (whole > 1 && word.front() == '0') return false;
  size_t fraction = 0;
  if (i < word.size() && word[i] == '.') ++i, fraction = digits();
  if (whole + fraction == 0) return false;
  if (i < word.size() && (word[i] == 'e' || word[i] == 'E')) {
    ++i;
    if (i < word.size() && (word[i] == '-' || word[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == word.size();
}

void append_utf8(std::string& text, uint32_t code) {
  auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0 | code >> 12);
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
    }
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Where> parse() {
    PLZ_ASSIGN(WhereNode root, parse_or());
    skip_blanks();
    if (at_ < text_.size()) return expected("and, or, or the end");
    return Where{std::move(root)};
  }

 private:
  using Parse = Result<WhereNode> (Parser::*)();

  Result<WhereNode> parse_or() { return parse_list("or", WhereNode::Kind::any_of, &Parser::parse_and); }
  Result<WhereNode> parse_and() { return parse_list("and", WhereNode::Kind::all_of, &Parser::parse_not); }

  Result<WhereNode> parse_list(std::string_view keyword, WhereNode::Kind kind, Parse parse_one) {
    PLZ_ASSIGN(WhereNode first, (this->*parse_one)());
    if (!take_keyword(keyword)) return first;
    WhereNode list;
    list.kind = kind;
    list.children.push_back(std::move(first));
    do {
      PLZ_ASSIGN(WhereNode next, (this->*parse_one)());
      list.children.push_back(std::move(next));
    } while (take_keyword(keyword));
    return list;
  }

  Result<WhereNode> parse_not() {
    if (depth_ == kMaxDepth) return invalid("this is nested too deeply");
    ++depth_;
    auto node = parse_nested();
    --depth_;
    return node;
  }

  Result<WhereNode> parse_nested() {
    if (take_keyword("not")) {
      PLZ_ASSIGN(WhereNode child, parse_not());
      WhereNode node;
      node.kind = WhereNode::Kind::none_of;
      node.children.push_back(std::move(child));
      return node;
    }
    if (take("(")) {
      PLZ_ASSIGN(WhereNode node, parse_or());
      if (!take(")")) return expected("and, or, or )");
      return node;
    }
    return parse_test();
  }

  Result<WhereNode> parse_test() {
    if (++tests_ > kMaxTests) return invalid("these are too many comparisons");
    WhereNode node;
    PLZ_ASSIGN(node.path, parse_path());
    if (take_keyword("exists")) {
      node.op = WhereOperator::exists;
      return node;
    }
    for (const auto& [symbol, op] : kOperators) {
      if (!take(symbol)) continue;
      node.op = op;
      PLZ_ASSIGN(node.value, parse_value(op));
      return node;
    }
    return at_test_end() ? Result<WhereNode>(std::move(node)) : expected("an operator such as = or <");
  }

  Result<std::vector<std::string>> parse_path() {
    skip_blanks();
    std::vector<std::string> path;
    do {
      PLZ_ASSIGN(std::string name, parse_name(path.empty()));
      path.push_back(std::move(name));
    } while (at_ < text_.size() && text_[at_] == '.' && ++at_);
    return path;
  }

  Result<std::string> parse_name(bool first) {
    if (at_ < text_.size() && text_[at_] == '"') return parse_quoted();
    size_t from = at_;
    while (at_ < text_.size() && is_name_char(text_[at_])) ++at_;
    std::string_view name = text_.substr(from, at_ - from);
    bool keyword = first && (name == "and" || name == "or");
    if (!name.empty() && !keyword) return std::string(name);
    at_ = from;
    return expected("a name such as parameters.lr");
  }

  Result<WhereValue> parse_value(WhereOperator op) {
    skip_blanks();
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      PLZ_ASSIGN(std::string quoted, parse_quoted());
      return WhereValue(std::move(quoted));
    }
    size_t from = at_;
    while (at_ < text_.size() && !ends_word(text_[at_])) ++at_;
    std::string_view word = text_.substr(from, at_ - from);
    if (word.empty() || word == "and" || word == "or") {
      at_ = from;
      return expected("a value");
    }
    if (op == WhereOperator::contains) return WhereValue(std::string(word));
    if (word == "true") return WhereValue(true);
    if (word == "false") return WhereValue(false);
    if (word == "null") return WhereValue(nullptr);
    if (!looks_like_number(word)) return WhereValue(std::string(word));
    if (word.front() == '+') word.remove_prefix(1);
    return WhereValue(JsonNumber{std::string(word)});
  }

  Result<std::string> parse_quoted() {
    size_t start = at_;
    char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] != '\\') {
        value += text_[at_++];
        continue;
      }
      ++at_;
      if (!append_escape(value)) return invalid("this is not an escape that JSON knows");
    }
    if (at_ == text_.size()) {
      at_ = start;
      return invalid("this quote is never closed");
    }
    ++at_;
    return value;
  }

  bool append_escape(std::string& value) {
    if (at_ == text_.size()) return false;
    constexpr std::string_view kFrom = "\"'\\/bfnrt", kTo = "\"'\\/\b\f\n\r\t";
    char c = text_[at_++];
    if (size_t i = kFrom.find(c); i != kFrom.npos) {
      value += kTo[i];
      return true;
    }
    if (c != 'u') return false;
    auto code = take_hex4();
    if (!code) return false;
    if (*code >= 0xd800 && *code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      auto low = take_hex4();
      if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
    }
    if (*code >= 0xd800 && *code <= 0xdfff) return false;
    append_utf8(value, *code);
    return true;
  }

  std::optional<uint32_t> take_hex4() {
    uint32_t code = 0;
    if (text_.size() - at_ < 4) return std::nullopt;
    const char* from = text_.data() + at_;
    if (std::from_chars(from, from + 4, code, 16).ptr != from + 4) return std::nullopt;
    at_ += 4;
    return code;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  bool take(std::string_view symbol) {
    skip_blanks();
    if (text_.substr(at_, symbol.size()) != symbol) return false;
    at_ += symbol.size();
    return true;
  }

  bool at_keyword(std::string_view keyword) {
    skip_blanks();
    if (text_.substr(at_, keyword.size()) != keyword) return false;
    size_t end = at_ + keyword.size();
    return end == text_.size() || !(is_name_char(text_[end]) || text_[end] == '.');
  }

  bool take_keyword(std::string_view keyword) {
    if (!at_keyword(keyword)) return false;
    at_ += keyword.size();
    return true;
  }

  bool at_test_end() {
    skip_blanks();
    return at_ == text_.size() || text_[at_] == ')' || at_keyword("and") || at_keyword("or");
  }

  // In characters, from 1.
  size_t column() const {
    auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    return 1 + static_cast<size_t>(
                   std::count_if(text_.begin(), text_.begin() + static_cast<ptrdiff_t>(at_), starts_character));
  }

  tl::unexpected<Error> invalid(std::string_view what) const {
    return fail(ErrorCode::invalid, "where, column " + std::to_string(column()) + ": " + std::string(what),
                "an example: parameters.lr < 0.1 and measures.summary.accuracy > 0.9");
  }

  tl::unexpected<Error> expected(std::string_view what) {
    skip_blanks();
    if (at_ == text_.size()) return invalid("expected " + std::string(what) + ", but the text ends here");
    size_t end = at_ + 1;
    while (end < text_.size() && !ends_word(text_[end])) ++end;
    return invalid("expected " + std::string(what) + ", found " + std::string(text_.substr(at_, end - at_)));
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t depth_ = 0;
  size_t tests_ = 0;
};

}  // namespace

Result<Where> parse_where(std::string_view text) { return Parser(text).parse(); }

}  // namespace plz
