#include "wire/process_attributes_json.h"

#include <gtest/gtest.h>

#include "wire/sample_values.h"

namespace plz {
namespace {

TEST(ProcessAttributesJson, HasItsGoldenForm) {
  const std::string golden =
      R"({"limits": {"nofile": "1024:4096", "as": "unlimited:unlimited"}, "affinity": "0-3,8", "niceness": -5, )"
      R"("umask": "077", "scheduling": "batch", "io_priority": 24576, "oom_score": 500, "personality": 262144})";
  EXPECT_EQ(process_attributes_to_json(sample_attributes()), golden);
  auto back = read_document<ProcessAttributes>(golden);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, sample_attributes());
}

TEST(ProcessAttributesJson, LeavesOutWhatIsNotSaid) {
  EXPECT_EQ(process_attributes_to_json({}), "{}");
  EXPECT_EQ(*read_document<ProcessAttributes>("{}"), ProcessAttributes());
}

TEST(ProcessAttributesJson, ErrorsNameTheMember) {
  for (auto text : {R"({"limits": {"nofile": "10"}})", R"({"limits": {"nofile": "2:1"}})"})
    EXPECT_EQ(read_document<ProcessAttributes>(text).error().message,
              "limits must hold texts as \"1024:unlimited\", soft and hard limit");
  EXPECT_EQ(read_document<ProcessAttributes>(R"({"umask": "9"})").error().message, "umask must be octal, as \"022\"");
  EXPECT_FALSE(read_document<ProcessAttributes>(R"({"niceness": "low"})"));
}

}  // namespace
}  // namespace plz
