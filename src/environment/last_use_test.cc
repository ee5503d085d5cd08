#include "environment/last_use.h"

#include <gtest/gtest.h>

#include "os/temporary_directory_test.h"

namespace plz {
namespace {

TEST(LastUse, IsKeptInAFile) {
  TemporaryDirectory directory;
  FakeClock clock;
  const std::string path = directory.path() + "/sub/last-use";
  LastUse uses(path, clock);
  ASSERT_TRUE(uses.touch("sha256:a"));
  const Timestamp first = clock.now();
  clock.advance(std::chrono::minutes(5));
  ASSERT_TRUE(uses.touch("sha256:b"));
  LastUse again(path, clock);
  EXPECT_EQ(again.of("sha256:a"), first);
  EXPECT_EQ(again.of("sha256:b"), clock.now());
  ASSERT_TRUE(again.forget("sha256:a"));
  EXPECT_NE(uses.of("sha256:a"), first);
}

TEST(LastUse, WhatIsNewCountsAsUsedWhenItIsFirstSeen) {
  TemporaryDirectory directory;
  FakeClock clock;
  LastUse uses(directory.path() + "/last-use", clock);
  const Timestamp seen = clock.now();
  EXPECT_EQ(uses.of("sha256:a"), seen);
  clock.advance(std::chrono::hours(3));
  EXPECT_EQ(uses.of("sha256:a"), seen);
}

TEST(LastUse, AFileThatMakesNoSenseIsNoUse) {
  TemporaryDirectory directory;
  directory.write("last-use", "garbage\nsha256:a yesterday\n\nsha256:b 2026-03-01T12:00:00.000000Z\n");
  FakeClock clock;
  LastUse uses(directory.path() + "/last-use", clock);
  EXPECT_EQ(uses.of("sha256:b"), *parse_rfc3339("2026-03-01T12:00:00Z"));
  EXPECT_EQ(uses.of("sha256:a"), clock.now());
}

}  // namespace
}  // namespace plz
