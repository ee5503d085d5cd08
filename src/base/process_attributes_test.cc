#include "base/process_attributes.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(ProcessAttributes, LimitsHaveATextForm) {
  EXPECT_EQ(limit_text({1024, 4096}), "1024:4096");
  EXPECT_EQ(limit_text({}), "unlimited:unlimited");
  for (ResourceLimit limit : {ResourceLimit{0, 0}, ResourceLimit{1024, ResourceLimit::kUnlimited}, ResourceLimit{}})
    EXPECT_EQ(parse_limit(limit_text(limit)), limit);
  for (auto text : {"", "1024", "2:1", "a:b", "1:2:3", "unlimited:5", "-1:5", " 1:2"})
    EXPECT_EQ(parse_limit(text), std::nullopt) << text;
}

TEST(ProcessAttributes, MasksHaveATextForm) {
  EXPECT_EQ(umask_text(022), "022");
  EXPECT_EQ(umask_text(0), "000");
  for (uint32_t mask : {0u, 02u, 077u, 0777u}) EXPECT_EQ(parse_umask(umask_text(mask)), mask);
  for (auto text : {"", "8", "1000", "-1", "0x1"}) EXPECT_EQ(parse_umask(text), std::nullopt) << text;
}

}  // namespace
}  // namespace plz
