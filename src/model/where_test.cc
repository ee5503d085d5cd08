#include "model/where.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

// The tree as text, so that a test can state it in one line.
std::string show(const WhereValue& value) {
  if (std::holds_alternative<std::nullptr_t>(value)) return "null";
  if (const bool* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const JsonNumber* number = std::get_if<JsonNumber>(&value)) return number->text;
  return "'" + std::get<std::string>(value) + "'";
}

std::string show(const WhereNode& node) {
  static const char* const kOps[] = {"<", "<=", ">", ">=", "=", "!=", "~", "exists", "truthy"};
  std::string text;
  if (node.kind == WhereNode::Kind::test) {
    for (const auto& name : node.path) text += (text.empty() ? "" : "/") + name;
    text += std::string(" ") + kOps[static_cast<int>(node.op)];
    bool has_value = node.op != WhereOperator::exists && node.op != WhereOperator::truthy;
    return has_value ? text + " " + show(node.value) : text;
  }
  static const char* const kKinds[] = {"", "all", "any", "none"};
  for (const auto& child : node.children) text += (text.empty() ? "" : ", ") + show(child);
  return kKinds[static_cast<int>(node.kind)] + ("(" + text + ")");
}

std::string parsed(std::string_view text) {
  auto where = parse_where(text);
  return where ? show(where->root) : "error: " + where.error().message;
}

TEST(Where, Tests) {
  EXPECT_EQ(parsed("parameters.lr < 0.1"), "parameters/lr < 0.1");
  EXPECT_EQ(parsed("a<=1"), "a <= 1");
  EXPECT_EQ(parsed("a>=-1e3"), "a >= -1e3");
  EXPECT_EQ(parsed("a>.5"), "a > .5");
  EXPECT_EQ(parsed("a=+5."), "a = 5.");
  EXPECT_EQ(parsed("a < 1e999"), "a < 1e999");
  EXPECT_EQ(parsed("a = 9007199254740993"), "a = 9007199254740993");
  EXPECT_EQ(parsed("a == true"), "a = true");
  EXPECT_EQ(parsed("a = null"), "a = null");
  EXPECT_EQ(parsed("a != false"), "a != false");
  EXPECT_EQ(parsed("a ~ 2024"), "a ~ '2024'");
  EXPECT_EQ(parsed("a exists"), "a exists");
  EXPECT_EQ(parsed("a"), "a truthy");
  EXPECT_EQ(parsed("loss = NaN"), "loss = 'NaN'");
  EXPECT_EQ(parsed("commit = 007"), "commit = '007'");
  EXPECT_EQ(parsed("path=/a/b:c.d"), "path = '/a/b:c.d'");
  EXPECT_EQ(parsed("layer-1.w_0.3=x"), "layer-1/w_0/3 = 'x'");
}

TEST(Where, QuotedNamesAndValues) {
  EXPECT_EQ(parsed(R"(measures."a.b c"."d\"e" = "x\ny")"), "measures/a.b c/d\"e = 'x\ny'");
  EXPECT_EQ(parsed(R"(a = 'it\'s')"), "a = 'it's'");
  EXPECT_EQ(parsed(R"(a = "\u00e9\ud83d\ude00")"), "a = 'é😀'");
  EXPECT_EQ(parsed(R"("and" = "")"), "and = ''");
}

TEST(Where, AndBindsMoreTightlyThanOr) {
  EXPECT_EQ(parsed("a and b or not c and d"), "any(all(a truthy, b truthy), all(none(c truthy), d truthy))");
  EXPECT_EQ(parsed("a and (b or c)"), "all(a truthy, any(b truthy, c truthy))");
  EXPECT_EQ(parsed("not (a=1 and not b)"), "none(all(a = 1, none(b truthy)))");
  EXPECT_EQ(parsed("android and order and notes.and"), "all(android truthy, order truthy, notes/and truthy)");
}

TEST(Where, ErrorsNameTheColumn) {
  EXPECT_EQ(parsed(""), "error: where, column 1: expected a name such as parameters.lr, but the text ends here");
  EXPECT_EQ(parsed("a <"), "error: where, column 4: expected a value, but the text ends here");
  EXPECT_EQ(parsed("a < and b"), "error: where, column 5: expected a value, found and");
  EXPECT_EQ(parsed("a b"), "error: where, column 3: expected an operator such as = or <, found b");
  EXPECT_EQ(parsed("(a"), "error: where, column 3: expected and, or, or ), but the text ends here");
  EXPECT_EQ(parsed("a)"), "error: where, column 2: expected and, or, or the end, found )");
  EXPECT_EQ(parsed("\"é\". = 1"), "error: where, column 6: expected a name such as parameters.lr, found =");
  EXPECT_EQ(parsed("a = 'x"), "error: where, column 5: this quote is never closed");
  EXPECT_EQ(parsed(R"(a = "\x")").substr(0, 23), "error: where, column 8:");
  EXPECT_EQ(parsed(R"(a = "\ud800")").substr(0, 13), "error: where,");
  EXPECT_EQ(parse_where("a b").error().code, ErrorCode::invalid);
}

TEST(Where, SizeIsBounded) {
  EXPECT_NE(parsed(std::string(100, '(') + "a" + std::string(100, ')')).find("nested too deeply"), std::string::npos);
  std::string nots;
  for (int i = 0; i < 100; ++i) nots += "not ";
  EXPECT_NE(parsed(nots + "a").find("nested too deeply"), std::string::npos);
  std::string many = "a";
  for (int i = 0; i < 300; ++i) many += " or a";
  EXPECT_NE(parsed(many).find("too many comparisons"), std::string::npos);
}

}  // namespace
}  // namespace plz
