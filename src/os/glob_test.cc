#include "os/glob.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

struct Match {
  const char* pattern;
  const char* path;
  bool matches;
};

TEST(Glob, MatchesWholePaths) {
  const Match cases[] = {
      {"a.py", "a.py", true},
      {"a.py", "b/a.py", false},
      {"*.py", "a.py", true},
      {"*.py", ".py", true},
      {"*.py", "b/a.py", false},
      {"**/*.py", "a.py", true},
      {"**/*.py", "b/c/a.py", true},
      {"b/**", "b/c/a.py", true},
      {"b/**", "b", true},
      {"b/**", "c/b", false},
      {"a/**/z", "a/z", true},
      {"a/**/z", "a/b/c/z", true},
      {"a/**/z", "a/b/c/y", false},
      {"**/a/**/b", "x/a/y/b", true},
      {"?.py", "é.py", true},
      {"?.py", "ab.py", false},
      {"[a-c]1", "b1", true},
      {"[!a-c]1", "b1", false},
      {"[!a-c]1", "d1", true},
      {"[]]x", "]x", true},
      {"[a", "[a", true},
      {"[a", "a", false},
      {"a*b*c", "a__b__c", true},
      {"a*b*c", "a__b__", false},
      {"./a/", "a", true},
      {"/ctx/a", "a", true},
      {"a/../b", "b", true},
      {".", "anything/at/all", true},
      {"*", ".hidden", true},
      {"x**y", "x12y", true},
      {"x**y", "x/y", false},
      {"\xff*", "\xff\n", true},
  };
  for (const Match& c : cases) {
    auto glob = Glob::make(c.pattern, "/ctx");
    ASSERT_TRUE(glob) << c.pattern;
    EXPECT_EQ(glob->matches(c.path), c.matches) << c.pattern << " on " << c.path;
  }
}

TEST(Glob, ThatCanMatchNothingBelowTheRootIsNone) {
  for (const char* pattern : {"", "../x", "/elsewhere", "/ctxt/a", "a/../../b"})
    EXPECT_FALSE(Glob::make(pattern, "/ctx")) << pattern;
  EXPECT_TRUE(Glob::make("/a", "/"));
}

TEST(Glob, CoversWhatIsBelowAMatch) {
  auto glob = Glob::make("data/*", "/ctx");
  EXPECT_TRUE(glob->matches_or_covers("data/a"));
  EXPECT_TRUE(glob->matches_or_covers("data/a/b/c"));
  EXPECT_FALSE(glob->matches_or_covers("data"));
  EXPECT_FALSE(glob->matches_or_covers("other/a/b"));
}

TEST(Glob, KnowsWhetherItMayMatchFurtherDown) {
  auto glob = Glob::make("a/*/c", "/ctx");
  EXPECT_TRUE(glob->may_match_below("a"));
  EXPECT_TRUE(glob->may_match_below("a/x"));
  EXPECT_FALSE(glob->may_match_below("b"));
  EXPECT_FALSE(glob->may_match_below("a/x/c"));
  EXPECT_TRUE(Glob::make("**/c", "/ctx")->may_match_below("any/where"));
}

TEST(Glob, ManyStarsTakeNoTimeToSpeakOf) {
  std::string pattern, path;
  for (int i = 0; i < 30; ++i) pattern += "**/*/";
  for (int i = 0; i < 200; ++i) path += "a/";
  EXPECT_FALSE(Glob::make(pattern + "b", "/ctx")->matches(path + "a"));
  EXPECT_FALSE(name_matches(std::string(60, '*') + "b", std::string(250, 'a')));
  std::string stars;
  for (int i = 0; i < 30; ++i) stars += "*a";
  EXPECT_FALSE(name_matches(stars + "b", std::string(250, 'a')));
}

}  // namespace
}  // namespace plz
