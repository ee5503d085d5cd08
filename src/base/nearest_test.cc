#include "base/nearest.h"

#include <array>

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(NearestName, FindsATypingError) {
  std::array<std::string_view, 3> known{"project", "command", "parameters"};
  EXPECT_EQ(nearest_name("comand", known), "command");
  EXPECT_EQ(nearest_name("porject", known), "project");
  EXPECT_EQ(nearest_name("zzzzzzzz", known), std::nullopt);
}

TEST(EditDistance, CountsATranspositionOnce) {
  EXPECT_EQ(edit_distance("ab", "ba"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

}  // namespace
}  // namespace plz
