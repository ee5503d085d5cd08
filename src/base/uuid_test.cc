#include "base/uuid.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(Uuid, IsVersion7AndCarriesTheTime) {
  FakeClock clock(Timestamp(std::chrono::milliseconds(0x0123456789ab)));
  std::string text = Uuid::make_v7(clock).to_string();
  EXPECT_EQ(text.substr(0, 13), "01234567-89ab");
  EXPECT_EQ(text[14], '7');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
}

TEST(Uuid, IncreasesAlsoWhenTheClockJumpsBack) {
  FakeClock clock(Timestamp(std::chrono::hours(500'000)));
  Uuid last = Uuid::make_v7(clock);
  for (int i = 0; i < 10'000; ++i) {
    if (i == 5'000) clock.jump_to(clock.now() - std::chrono::hours(1));
    Uuid next = Uuid::make_v7(clock);
    ASSERT_LT(last, next);
    last = next;
  }
}

TEST(Uuid, ParsesWhatItPrintsAndNothingElse) {
  SystemClock clock;
  Uuid uuid = Uuid::make_v7(clock);
  EXPECT_EQ(Uuid::parse(uuid.to_string()), uuid);
  for (const char* wrong : {"", "x", "0190f3d0-0000-7000-8000-00000000000", "0190f3d0-0000-7000-8000-00000000000g",
                            "0190f3d000000-7000-8000-000000000000"})
    EXPECT_FALSE(Uuid::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace plz
