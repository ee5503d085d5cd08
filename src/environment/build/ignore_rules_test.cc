#include "environment/build/ignore_rules.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(IgnoreRules, FollowDockersDocumentation) {
  struct Case {
    std::string rules, path;
    bool ignored;
  };
  for (const Case& c : std::vector<Case>{
           {"", "a", false},
           {"# a comment\n\n  \n", "# a comment", false},
           {"*/temp*", "somedir/temporary.txt", true},
           {"*/temp*", "somedir/temp", true},
           {"*/temp*", "temp", false},
           {"*/temp*", "a/b/temp", false},
           {"*/*/temp*", "somedir/subdir/temporary.txt", true},
           {"*/*/temp*", "somedir/temporary.txt", false},
           {"temp?", "tempa", true},
           {"temp?", "temp", false},
           {"temp?", "tempab", false},
           {"**/*.go", "a.go", true},
           {"**/*.go", "a/b/c.go", true},
           {"**/*.go", "a/b/c.gox", false},
           {"**", "a/b", true},
           {"a/**", "a/b/c", true},
           {"a/**", "a", false},
           {"a/**/z", "a/z", true},
           {"a/**/z", "a/b/c/z", true},
           {"a/**/z", "a/bz", false},
           {"/foo/bar/", "foo/bar", true},
           {"foo/../bar", "bar", true},
           {"./foo", "foo", true},
           {"foo", "foo/below/it", true},
           {"foo", "a/foo", false},
           {"foo", "foobar", false},
           {"*.md\n!README.md", "README.md", false},
           {"*.md\n!README.md", "other.md", true},
           {"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
           {"*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false},
           {"*\n!src", "src/deep/file", false},
           {"*\n!src", "other", true},
           {"  padded  ", "padded", true},
           {"! spaced", "spaced", false},
           {"[a-c]x", "bx", true},
           {"[a-c]x", "dx", false},
           {"[^a-c]x", "dx", true},
           {"[^a]", "/", false},
           {"[]]x", "]x", true},
           {"\\*", "*", true},
           {"\\*", "a", false},
           {"a\r\nb\r\n", "a", true},
           {"\xef\xbb\xbf"
            "bom",
            "bom", true},
           {"a.b", "axb", false},
           {"caf\xe9*", "caf\xe9-1", true},
       }) {
    auto rules = IgnoreRules::parse(c.rules);
    ASSERT_TRUE(rules) << c.rules;
    EXPECT_EQ(rules->ignores(c.path), c.ignored) << "rules: " << c.rules << "\npath: " << c.path;
  }
}

TEST(IgnoreRules, AMalformedPatternNamesItsLine) {
  for (const char* text : {"ok\n[a", "ok\nx\\", "ok\n!", "ok\n[", "ok\n[^"}) {
    auto rules = IgnoreRules::parse(text);
    ASSERT_FALSE(rules) << text;
    EXPECT_NE(rules.error().message.find("line 2"), std::string::npos) << rules.error().message;
  }
}

}  // namespace
}  // namespace plz
