#include "environment/build/path_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace plz {
namespace {

TEST(PathPattern, MatchesTheWholePathOrADirectoryAboveIt) {
  struct Case {
    std::string pattern, path;
    bool matches, matches_or_covers;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"a", "a", true, true},
           {"a", "a/b", false, true},
           {"a", "ab/c", false, false},
           {"a*c", "abbc", true, true},
           {"a*c", "ab/c", false, false},
           {"a**c", "abc", false, false},
           {"a**c", "ab/c", true, true},
           {"**/c", "c", true, true},
           {"**/c", "a/b/c/d", false, true},
           {"**", "", true, true},
           {"a/**/**/z", "a/z", true, true},
           {"*/z", "a/z/b", false, true},
           {"", "", true, true},
           {"", "a", false, false},
       }) {
    EXPECT_EQ(PathPattern(c.pattern).matches(c.path), c.matches) << c.pattern << " " << c.path;
    EXPECT_EQ(PathPattern(c.pattern).matches_or_covers(c.path), c.matches_or_covers) << c.pattern << " " << c.path;
  }
}

// Followed one way at a time, these would be tried in more ways than can be counted.
TEST(PathPattern, ManyStarsTakeNoLonger) {
  std::string stars, depths, name(200, 'a'), path;
  for (int i = 0; i < 60; ++i) {
    stars += "*a";
    depths += "**/a/";
    path += "a/a/";
  }
  EXPECT_FALSE(PathPattern(stars + "b").matches(name));
  EXPECT_TRUE(PathPattern(stars).matches(name));
  EXPECT_FALSE(PathPattern(depths + "b").matches_or_covers(path + "c"));
  EXPECT_TRUE(PathPattern(depths + "c").matches(path + "c"));
}

TEST(PathPattern, WhatIsLeftOpen) {
  for (const char* open : {"[", "[^", "a[b", "x\\"}) EXPECT_FALSE(PathPattern(open).is_complete()) << open;
  for (const char* whole : {"[a]", "[]]", "\\[", "", "**"}) EXPECT_TRUE(PathPattern(whole).is_complete()) << whole;
  EXPECT_FALSE(PathPattern("a[b").matches("ab"));
}

}  // namespace
}  // namespace plz
