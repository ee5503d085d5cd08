#include "cli/json_differences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/json_view.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(JsonDifferences, EqualValuesMayBeWrittenDifferently) {
  EXPECT_THAT(json_differences(R"({"a": 1, "b": [true, null]})", R"({"b":[true,null],"a":1.0})"), IsEmpty());
  EXPECT_THAT(json_differences(R"("\u0061")", R"("a")"), IsEmpty());
  EXPECT_THAT(json_differences("{}", " {} "), IsEmpty());
}

TEST(JsonDifferences, NameWhereTheyAre) {
  EXPECT_THAT(
      json_differences(R"({"m": {"kernel": "6.1", "gone": 1}, "l": [1, 2]})",
                       R"({"m": {"kernel": "6.8"}, "l": [1, 3, 4], "new": {}})"),
      ElementsAre(JsonDifference{"m.kernel", "\"6.1\"", "\"6.8\""}, JsonDifference{"m.gone", "1", ""},
                  JsonDifference{"l[1]", "2", "3"}, JsonDifference{"l[2]", "", "4"}, JsonDifference{"new", "", "{}"}));
  EXPECT_THAT(json_differences("1", "\"1\""), ElementsAre(JsonDifference{"", "1", "\"1\""}));
  EXPECT_THAT(json_differences("{}", "[]"), ElementsAre(JsonDifference{"", "{}", "[]"}));
}

TEST(JsonDifferences, ReadAsSentences) {
  EXPECT_EQ(difference_sentence({"a.b", "1", ""}), "a.b: 1 before, nothing now");
  EXPECT_EQ(difference_sentence({"", "1", "2"}), "value: 1 before, 2 now");
}

TEST(JsonView, FindsMembersAndElements) {
  const std::string text = R"({"a": {"b\n": [1, {"c": "}"}]}, "d": "x\ty"})";
  EXPECT_EQ(json_find(text, {"a", "b\n"}), R"([1, {"c": "}"}])");
  EXPECT_EQ(json_find(text, {"a", "c"}), std::nullopt);
  EXPECT_THAT(json_elements(R"( [1, {"c": "]"}, [] ] )"), ElementsAre("1", R"({"c": "]"})", "[]"));
  EXPECT_THAT(json_elements("[]"), IsEmpty());
  EXPECT_THAT(json_members("[1]"), IsEmpty());
  EXPECT_EQ(json_plain(*json_find(text, {"d"})), "x\ty");
}

}  // namespace
}  // namespace plz
