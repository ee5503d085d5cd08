#include "wire/json_text.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

std::string nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

struct BadText {
  const char* text;
  const char* message;
};

TEST(JsonText, SaysWhereAndWhatIsWrong) {
  const BadText table[] = {
      {"", "line 1, column 1: expected a value"},
      {"{\"a\": 1,}", "line 1, column 9: expected a string as the member's name"},
      {"{\"a\" 1}", "line 1, column 6: expected ':'"},
      {"{\n  \"é\": x}", "line 2, column 8: not a JSON value"},
      {"[1 2]", "line 1, column 4: expected ',' or ']'"},
      {"[1, 2", "line 1, column 6: expected ',' or ']'"},
      {"[1}", "line 1, column 3: expected ',' or ']'"},
      {"1 2", "line 1, column 3: expected the end of the text"},
      {"[01]", "line 1, column 2: a number with a leading zero"},
      {"[1.]", "line 1, column 2: a number without digits after its point"},
      {"[1e]", "line 1, column 2: a number without digits in its exponent"},
      {"-", "line 1, column 1: a '-' without a number"},
      {"[NaN]", "line 1, column 2: NaN and Infinity are not JSON"},
      {"{'a': 1}", "line 1, column 2: a string must be in double quotes"},
      {"\"ab", "line 1, column 1: a string that does not end"},
      {"\"ab\\", "line 1, column 1: a string that does not end"},
      {"\"a\nb\"", "line 1, column 3: a control character within a string: it must be escaped"},
      {"\"\\x\"", "line 1, column 2: an unknown escape"},
      {"\"\\u12g4\"", "line 1, column 2: \\u needs four hexadecimal digits"},
      {"\"\xff\"", "line 1, column 1: a string that is not valid UTF-8"},
      {"\xef\xbb\xbf{}", "line 1, column 1: not a JSON value"},
      {"truefalse", "line 1, column 5: expected the end of the text"},
  };
  for (const auto& bad : table) {
    auto json = parse_json_text(bad.text);
    ASSERT_FALSE(json) << bad.text;
    EXPECT_EQ(json.error().code, ErrorCode::invalid);
    EXPECT_EQ(json.error().message, bad.message);
  }
}

TEST(JsonText, KeepsTheExactText) {
  auto json = parse_json_text(" \n{\"b\": 1.00, \"a\":1e400}\t");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->text, "{\"b\": 1.00, \"a\":1e400}");
}

TEST(JsonText, LimitsNestingWithoutAStack) {
  EXPECT_TRUE(parse_json_text(nested(200)));
  auto deep = parse_json_text(nested(201));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().message, "line 1, column 201: nested deeper than 200 levels");
  EXPECT_FALSE(parse_json_text(nested(5'000'000)));
  EXPECT_EQ(indent_json(nested(1000)).substr(0, 7), "[\n  [\n ");
}

TEST(JsonText, ParametersMustBeAnObject) {
  EXPECT_TRUE(parse_json_object("{}", "parameters"));
  EXPECT_EQ(parse_json_object("[1]", "parameters").error().message, "parameters must be a JSON object");
  EXPECT_EQ(parse_json_object("{", "parameters").error().message,
            "parameters: line 1, column 2: expected a string as the member's name, or '}'");
}

TEST(JsonText, TakesMeasuresAsPythonWritesThem) {
  for (auto text : {"NaN", "-Infinity", "{\"loss\": NaN, \"best\": [Infinity]}", " 1 ", "\"x\"", "null"})
    EXPECT_TRUE(is_measure_json(text)) << text;
  for (auto text : {"", "nan", "+Infinity", "-NaN", "loss: 1", "\x80", "{\"a\": 1", "1 2"})
    EXPECT_FALSE(is_measure_json(text)) << text;
}

TEST(JsonText, ShowsNotFiniteNumbersAsStrings) {
  EXPECT_EQ(strict_json("{\"loss\": NaN,\n \"x\": [-Infinity, 1.50, \"a b\"]}"),
            "{\"loss\":\"NaN\",\"x\":[\"-Infinity\",1.50,\"a b\"]}");
}

TEST(JsonText, IndentsAsPythonDoes) {
  EXPECT_EQ(indent_json("{\"b\":[1,2.50,{}],\"a\":{\"x\":[]},\"u\":\"\\u00e9\\/\\n\\ud83d\\ude00\"}"),
            "{\n  \"b\": [\n    1,\n    2.50,\n    {}\n  ],\n  \"a\": {\n    \"x\": []\n  },\n"
            "  \"u\": \"é/\\n😀\"\n}");
  EXPECT_EQ(indent_json("{ }"), "{}");
  EXPECT_EQ(indent_json("[\"\\ud800\"]"), "[\n  \"\\ud800\"\n]");
  EXPECT_EQ(indent_json("123456789012345678901234567890"), "123456789012345678901234567890");
}

TEST(JsonText, QuotesAnyBytes) {
  EXPECT_EQ(quote_json("a\"\\\n\x01 é"), "\"a\\\"\\\\\\n\\u0001 é\"");
  EXPECT_EQ(quote_json("a\xff é"), "\"a\\\\xff é\"");
}

TEST(JsonText, MergesObjects) {
  EXPECT_EQ(merge_json_objects("{\"a\": 1.0, \"b\": {\"x\": [1, {}]}}", "{\"c\": 3, \"a\": [2]}"),
            "{\"a\": [2], \"b\": {\"x\": [1, {}]}, \"c\": 3}");
  EXPECT_EQ(merge_json_objects("{}", "{}"), "{}");
}

}  // namespace
}  // namespace plz
