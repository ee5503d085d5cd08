#include "cli/process_attributes.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(RecordedAttributes, LeaveOutWhatIsUnlimited) {
  ProcessAttributes attributes;
  EXPECT_EQ(recorded_attributes(attributes), "");
  attributes.limits = {{"cpu", {}}, {"nofile", {1024, 4096}}, {"as", {1, ResourceLimit::kUnlimited}}};
  attributes.umask = 077;
  EXPECT_EQ(recorded_attributes(attributes),
            R"({"limits": {"nofile": "1024:4096", "as": "1:unlimited"}, "umask": "077"})");
}

}  // namespace
}  // namespace plz
