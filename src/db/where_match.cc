#include "db/where_match.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "wire/json_lexer.h"

namespace plz {
namespace {

struct FoundValue {
  JsonToken type = JsonToken::bad;  // of its first token
  std::string_view text;
};

struct FoundMember {
  std::string_view key;  // a string token
  FoundValue value;
};

bool names(std::string_view key, const std::string& name) {
  if (key.find('\\') != key.npos) return decode_json_string(key) == name;
  return key.substr(1, key.size() - 2) == name;
}

// Reads values and checks them, without building anything.
class ValueReader {
 public:
  explicit ValueReader(std::string_view text) : text_(text), lexer_(text) {}

  std::optional<FoundValue> value() { return rest_of_value(lexer_.next(), 0); }

  // Calls back for each member of the object that begins here. False: not an object, or not JSON.
  template <typename OnMember>
  bool members(const OnMember& on_member) {
    return lexer_.next() == JsonToken::begin_object && rest_of_object(0, on_member);
  }
  bool at_end() { return lexer_.next() == JsonToken::end; }

 private:
  std::optional<FoundValue> rest_of_value(JsonToken first, size_t depth) {
    size_t start = lexer_.start();
    if (depth > kMaxDocumentDepth || !skip(first, depth)) return std::nullopt;
    return FoundValue{first, text_.substr(start, lexer_.position() - start)};
  }

  bool skip(JsonToken first, size_t depth) {
    switch (first) {
      case JsonToken::begin_object: return rest_of_object(depth, [](const FoundMember&) {});
      case JsonToken::begin_array: return rest_of_array(depth);
      case JsonToken::string:
      case JsonToken::number:
      case JsonToken::literal: return true;
      default: return false;
    }
  }

  template <typename OnMember>
  bool rest_of_object(size_t depth, const OnMember& on_member) {
    JsonToken token = lexer_.next();
    if (token == JsonToken::end_object) return true;
    for (;; token = lexer_.next()) {
      if (token != JsonToken::string) return false;
      std::string_view key = lexer_.token();
      if (lexer_.next() != JsonToken::colon) return false;
      auto value = rest_of_value(lexer_.next(), depth + 1);
      if (!value) return false;
      on_member(FoundMember{key, *value});
      token = lexer_.next();
      if (token != JsonToken::comma) return token == JsonToken::end_object;
    }
  }

  bool rest_of_array(size_t depth) {
    JsonToken token = lexer_.next();
    if (token == JsonToken::end_array) return true;
    for (;; token = lexer_.next()) {
      if (!rest_of_value(token, depth + 1)) return false;
      token = lexer_.next();
      if (token != JsonToken::comma) return token == JsonToken::end_array;
    }
  }

  std::string_view text_;
  JsonLexer lexer_;
};

// The document, split once at its first level.
class WhereDocument {
 public:
  explicit WhereDocument(std::string_view text) {
    ValueReader reader(text);
    valid_ = reader.members([&](const FoundMember& member) { members_.push_back(member); }) && reader.at_end();
  }

  bool valid() const { return valid_; }

  std::optional<FoundValue> find(const std::vector<std::string>& path) const {
    std::optional<FoundValue> found;
    for (const FoundMember& member : members_)
      if (names(member.key, path.front())) found = member.value;
    for (size_t i = 1; i < path.size() && found; ++i) found = find_in(*found, path[i]);
    return found;
  }

 private:
  static std::optional<FoundValue> find_in(const FoundValue& object, const std::string& name) {
    std::optional<FoundValue> found;
    if (object.type != JsonToken::begin_object) return found;
    ValueReader(object.text).members([&](const FoundMember& member) {
      if (names(member.key, name)) found = member.value;
    });
    return found;
  }

  std::vector<FoundMember> members_;
  bool valid_ = false;
};

template <typename Ordering>
bool fits(WhereOperator op, Ordering order) {
  switch (op) {
    case WhereOperator::less: return order < 0;
    case WhereOperator::less_or_equal: return order <= 0;
    case WhereOperator::greater: return order > 0;
    case WhereOperator::greater_or_equal: return order >= 0;
    case WhereOperator::equal: return order == 0;
    default: return false;
  }
}

bool compare_text(WhereOperator op, std::string_view token, const std::string& text) {
  const std::string found = decode_json_string(token);
  return op == WhereOperator::contains ? found.find(text) != found.npos : fits(op, found.compare(text));
}

bool compare(WhereOperator op, const FoundValue& found, const WhereValue& value) {
  if (const JsonNumber* number = std::get_if<JsonNumber>(&value))
    return found.type == JsonToken::number && fits(op, compare_json_numbers(found.text, number->text));
  if (const std::string* text = std::get_if<std::string>(&value))
    return found.type == JsonToken::string && compare_text(op, found.text, *text);
  if (op != WhereOperator::equal) return false;
  if (const bool* flag = std::get_if<bool>(&value)) return found.text == (*flag ? "true" : "false");
  return found.text == "null";
}

bool truthy(const FoundValue& found) {
  if (found.type == JsonToken::number) return !is_zero_json_number(found.text);
  return found.text != "false" && found.text != "null";
}

bool test(const WhereNode& node, const WhereDocument& document) {
  const auto found = document.find(node.path);
  switch (node.op) {
    case WhereOperator::exists: return found && found->text != "null";
    case WhereOperator::truthy: return found && truthy(*found);
    case WhereOperator::not_equal: return !found || !compare(WhereOperator::equal, *found, node.value);
    default: return found && compare(node.op, *found, node.value);
  }
}

bool fulfils(const WhereNode& node, const WhereDocument& document) {
  auto child = [&](const WhereNode& each) { return fulfils(each, document); };
  switch (node.kind) {
    case WhereNode::Kind::test: return test(node, document);
    case WhereNode::Kind::all_of: return std::all_of(node.children.begin(), node.children.end(), child);
    case WhereNode::Kind::any_of: return std::any_of(node.children.begin(), node.children.end(), child);
    case WhereNode::Kind::none_of: return std::none_of(node.children.begin(), node.children.end(), child);
  }
  return false;
}

}  // namespace

bool matches_where(const Where& where, std::string_view text) {
  WhereDocument document(text);
  return document.valid() && fulfils(where.root, document);
}

}  // namespace plz
