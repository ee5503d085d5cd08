#include "model/digest.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(Digest, ParsesWhatItPrints) {
  std::string hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  auto digest = Digest::parse(hex);
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->hex(), hex);
  EXPECT_FALSE(Digest::parse(hex.substr(1)));
  hex[0] = 'g';
  EXPECT_FALSE(Digest::parse(hex));
}

}  // namespace
}  // namespace plz
