#include "base/uuid.h"

#include <algorithm>

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

TEST(Uuid, StaysAboveWhatAnotherProcessHasMade) {
  FakeClock clock(Timestamp(std::chrono::hours(500'000)));
  auto bytes = Uuid::make_v7(clock).bytes();
  // The last one of this millisecond.
  std::fill(bytes.begin() + 6, bytes.end(), 0xff);
  bytes[6] = 0x7f;
  const Uuid theirs = Uuid::from_bytes(bytes.data());
  EXPECT_LT(Uuid::make_v7(clock), theirs);
  Uuid::stay_above(theirs);
  const Uuid first = Uuid::make_v7(clock);
  EXPECT_GT(first, theirs);
  Uuid::stay_above(*Uuid::parse("00000000-0000-7000-8000-000000000000"));
  EXPECT_GT(Uuid::make_v7(clock), first);
  const Uuid random = *Uuid::parse("ffffffff-ffff-4fff-bfff-ffffffffffff");
  Uuid::stay_above(random);
  EXPECT_LT(Uuid::make_v7(clock), random) << "there is no time in it";
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
