#include "cli/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::HasSubstr;

TEST(Parameters, KeepTheirExactText) {
  TemporaryDirectory directory;
  auto parameters = load_parameters_file(directory.write("p.json", "{ \"lr\": 1e-3,\n \"n\": 100 }\n"));
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(parameters->text, "{ \"lr\": 1e-3,\n \"n\": 100 }");
}

TEST(Parameters, AreEmptyWhereNoneAreConfigured) {
  EXPECT_EQ(load_parameters({})->text, "{}");
  Configuration configuration;
  configuration.parameters = JsonText{R"({"a":1})"};
  EXPECT_EQ(load_parameters(configuration)->text, R"({"a":1})");
}

TEST(Parameters, WithAKeyTwiceAreRefused) {
  TemporaryDirectory directory;
  for (const char* text :
       {R"({"a": 1, "b": 2, "a": 1})", R"({"x": [0, {"y": {"a": 1, "a": 2}}]})", R"({"a": 1, "\u0061": 2})"}) {
    auto twice = load_parameters_file(directory.write("p.json", text));
    ASSERT_FALSE(twice) << text;
    EXPECT_THAT(twice.error().message, testing::HasSubstr("the key \"a\" is given twice"));
  }
  EXPECT_TRUE(load_parameters_file(directory.write("p.json", R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})")));
}

TEST(Parameters, ThatAreWrongAreNamedWithTheirPlace) {
  TemporaryDirectory directory;
  std::string path = directory.write("p.json", "{\n\"a\": }");
  auto malformed = load_parameters_file(path);
  ASSERT_FALSE(malformed);
  EXPECT_EQ(malformed.error().code, ErrorCode::invalid);
  EXPECT_THAT(malformed.error().message, testing::StartsWith(path + ":2:6: "));

  auto list = load_parameters_file(directory.write("list.json", "[1]"));
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().message, HasSubstr("parameters"));
  EXPECT_THAT(list.error().message, HasSubstr("object"));

  Configuration configuration;
  configuration.parameters_path = directory.path("absent.json");
  auto absent = load_parameters(configuration);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::not_found);
  EXPECT_THAT(absent.error().message, HasSubstr("absent.json"));
}

}  // namespace
}  // namespace plz
