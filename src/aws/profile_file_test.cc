#include "aws/profile_file.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

// All of it as one line: "ada: a=1 b=2; bob:".
std::string parsed(std::string_view text, AwsProfileFile kind) {
  auto profiles = parse_aws_profiles(text, kind);
  if (!profiles) return "error: " + profiles.error().message;
  std::string result;
  for (const auto& [name, settings] : *profiles) {
    result += (result.empty() ? "" : "; ") + name + ":";
    for (const auto& [key, value] : settings) result += " " + key + "=" + value;
  }
  return result;
}

TEST(ProfileFile, Credentials) {
  struct Case {
    const char *text, *expected;
  };
  for (auto [text, expected] : std::initializer_list<Case>{
           {"", ""},
           {"[default]\naws_access_key_id = A\naws_secret_access_key=b/c+d=\n",
            "default: aws_access_key_id=A aws_secret_access_key=b/c+d="},
           {"[ada]\r\nKEY : v w \r\n", "ada: key=v w"},
           {"\xef\xbb\xbf[a]\nb=1", "a: b=1"},
           {"# c\n; d\n\n[a]\n  # e\nb=1 # not a comment\n", "a: b=1 # not a comment"},
           {"[a]\nb=1\n[c]\n[a]\nd=2\nb=3", "a: b=3 d=2; c:"},
           {"[a]\n  b=1\n  c=2\n", "a: b=1 c=2"},
           {"[a]\ns3 =\n  region = x\n  b = 2\nc = 3\n", "a: c=3 s3="},
           {"[profile a]\nb=1", "profile a: b=1"},
           {"[a] ; why\nb=", "a: b="},
           {"b=1\n[a]", "error: line 1 comes before the first [section]"},
           {"[a]\nnonsense", "error: line 2 is neither a [section] nor NAME = VALUE"},
           {"[a]\n=x", "error: line 2 is neither a [section] nor NAME = VALUE"},
           {"\n\n[a", "error: line 3 begins with [ and has no ]"},
       })
    EXPECT_EQ(parsed(text, AwsProfileFile::credentials), expected) << text;
}

TEST(ProfileFile, Config) {
  auto config = [](std::string_view text) { return parsed(text, AwsProfileFile::config); };
  EXPECT_EQ(config("[default]\na=1\n[profile b]\na=2"), "b: a=2; default: a=1");
  EXPECT_EQ(config("[profile \"b c\"]\na=1\n[profile 'd']\n[profile\te]"), "b c: a=1; d:; e:");
  EXPECT_EQ(config("[b]\na=1\n[sso-session x]\na=2\n[profiles]\n[profile ]\n[profilex]\nz=1"), "");
}

}  // namespace
}  // namespace plz
