#include "base/text.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(Text, KnowsUtf8) {
  EXPECT_TRUE(is_valid_utf8("aé€😀"));
  EXPECT_FALSE(is_valid_utf8("\xff"));
  EXPECT_FALSE(is_valid_utf8("\xc0\xaf"));
  EXPECT_FALSE(is_valid_utf8("\xed\xa0\x80"));
}

TEST(Text, MakesAnythingPrintable) { EXPECT_EQ(printable("a\n\xff é"), "a\\x0a\\xff é"); }

TEST(Text, EncodesBase64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Text, DecodesBase64) {
  for (std::string bytes : {"", "f", "fo", "foo", "\xff\xfe\x01 binary"})
    EXPECT_EQ(base64_decode(base64(bytes)), bytes);
  for (std::string bad : {"Zg", "Zg=", "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "====", "Zm9v\n"})
    EXPECT_FALSE(base64_decode(bad)) << bad;
}

TEST(Text, LowersLettersOfAsciiOnly) { EXPECT_EQ(lower_case("AZ-az \xc3\x84@["), "az-az \xc3\x84@["); }

TEST(Text, NamesSizes) {
  EXPECT_EQ(human_bytes(512), "512 bytes");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
}

}  // namespace
}  // namespace plz
