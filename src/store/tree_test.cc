#include "store/tree.h"

#include <gtest/gtest.h>

#include "store/hasher.h"

namespace plz {
namespace {

TreeEntry file(std::string name) { return {.name = std::move(name), .bytes = 3, .digest = digest_of("abc")}; }
TreeEntry link(std::string name, std::string target) {
  return {.name = std::move(name), .kind = EntryKind::symlink, .mode = 0777, .target = std::move(target)};
}

Tree sample() {
  Tree tree;
  tree.entries.push_back(link("a\nb\xff", "/nowhere"));
  tree.entries.push_back(
      {.name = "big", .kind = EntryKind::chunked_file, .mode = 0600, .bytes = 1ull << 40, .digest = digest_of("list")});
  tree.entries.push_back({.name = "dir",
                          .kind = EntryKind::directory,
                          .mode = 01755,
                          .bytes = 12,
                          .files = 4,
                          .digest = digest_of("tree")});
  tree.entries.push_back(file(std::string(255, 'n')));
  return tree;
}

TEST(Tree, IsDecodedAsEncoded) {
  EXPECT_EQ(*decode_tree(encode_tree(sample())), sample());
  EXPECT_EQ(*decode_tree(encode_tree({})), Tree());
}

// A change of the encoding changes every digest ever recorded.
TEST(Tree, HasTheDigestItAlwaysHad) {
  EXPECT_EQ(digest_of(encode_tree(sample())).hex(), "6f57baf3f33dc600713ab87d2a5ce105a5ee532512b3897fbd67a6b41f2bf21e");
}

TEST(Tree, RefusesEveryTruncation) {
  auto bytes = encode_tree(sample());
  size_t whole = 0;
  for (size_t size = 0; size < bytes.size(); ++size) whole += decode_tree(bytes.substr(0, size)).has_value();
  EXPECT_EQ(whole, 4u);  // after the magic and after each entry but the last
}

TEST(Tree, RefusesNamesThatLeaveTheDirectory) {
  for (std::string name : {"", ".", "..", "a/b", "/"}) {
    Tree tree{{file(name)}};
    EXPECT_FALSE(decode_tree(encode_tree(tree))) << name;
  }
  EXPECT_FALSE(decode_tree(encode_tree({{file(std::string("a\0b", 3))}})));
}

TEST(Tree, RefusesEntriesOutOfOrderOrTwice) {
  EXPECT_FALSE(decode_tree(encode_tree({{file("b"), file("a")}})));
  EXPECT_FALSE(decode_tree(encode_tree({{file("a"), file("a")}})));
  EXPECT_FALSE(decode_tree(encode_tree({{file("\xff"), file("a")}})));  // bytes are unsigned
  EXPECT_TRUE(decode_tree(encode_tree({{file("a"), file("\xff")}})));
}

TEST(Tree, RefusesUnknownKindsModesAndBadLinks) {
  auto bytes = encode_tree({{file("a")}});
  auto with = [&](size_t at, char value) {
    auto changed = bytes;
    changed[at] = value;
    return decode_tree(changed).has_value();
  };
  EXPECT_FALSE(with(0, 'X'));
  EXPECT_FALSE(with(8, 4));        // kind
  EXPECT_FALSE(with(10, '\x10'));  // mode 010000
  EXPECT_FALSE(decode_tree(encode_tree({{link("a", "")}})));
  EXPECT_FALSE(decode_tree(encode_tree({{link("a", std::string("x\0", 2))}})));
}

}  // namespace
}  // namespace plz
