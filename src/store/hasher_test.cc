#include "store/hasher.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

// FIPS 180-4's examples.
constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kEmpty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Hasher, AgreesWithThePublishedExamples) {
  EXPECT_EQ(digest_of("abc").hex(), kAbc);
  EXPECT_EQ(digest_of("").hex(), kEmpty);
}

TEST(Hasher, StartsAnewAfterEachDigest) {
  Hasher hasher;
  hasher.update("a");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish().hex(), kAbc);
  EXPECT_EQ(hasher.finish().hex(), kEmpty);
}

}  // namespace
}  // namespace plz
