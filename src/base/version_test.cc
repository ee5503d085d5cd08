#include "base/version.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(Version, ComparesByNumbers) {
  EXPECT_TRUE(is_older_version("0.2.0", "0.10.0"));
  EXPECT_TRUE(is_older_version("0.9", "1.0.0"));
  EXPECT_FALSE(is_older_version("1.0.0", "1.0.0"));
  EXPECT_FALSE(is_older_version("1.0.1", "1.0.0"));
  EXPECT_TRUE(is_older_version("", plz_version()));
}

}  // namespace
}  // namespace plz
