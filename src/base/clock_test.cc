#include "base/clock.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(Rfc3339, RoundTrips) {
  auto time = parse_rfc3339("2026-03-01T12:34:56.123456Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(format_rfc3339(*time), "2026-03-01T12:34:56.123456Z");
}

TEST(Rfc3339, TakesOffsetsSpacesAndNoFraction) {
  EXPECT_EQ(parse_rfc3339("2026-03-01 12:00:00+02:00"), parse_rfc3339("2026-03-01T10:00:00Z"));
  EXPECT_EQ(parse_rfc3339("2026-03-01T12:00:00-00:30"), parse_rfc3339("2026-03-01T12:30:00.000Z"));
}

TEST(Rfc3339, RefusesWhatIsNotATime) {
  for (const char* wrong : {"", "2026", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00",
                            "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00.Z"})
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
}

}  // namespace
}  // namespace plz
