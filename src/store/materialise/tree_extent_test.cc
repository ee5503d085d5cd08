#include "store/materialise/tree_extent.h"

#include "store/capture/scratch_tree_test.h"

namespace plz {
namespace {

class TreeExtentTest : public ScratchTree {
 protected:
  Digest put(const Tree& tree) { return channel_.put(encode_tree(tree)); }
  TreeEntry directory(std::string name, const Digest& tree) {
    return {.name = std::move(name), .kind = EntryKind::directory, .mode = 0755, .digest = tree};
  }
  // A few small trees that share each other: 40 to the power of `levels` directories.
  Digest bomb(int levels) {
    Digest below = put({});
    for (int level = 0; level < levels; ++level) {
      Tree tree;
      for (int i = 10; i < 50; ++i) tree.entries.push_back(directory("d" + std::to_string(i), below));
      below = put(tree);
    }
    return below;
  }
  Digest chain(int levels) {
    Digest below = put({});
    for (int level = 0; level < levels; ++level) below = put({{directory("d", below)}});
    return below;
  }
  std::string out() const { return scratch_ + "/out"; }
};

TEST_F(TreeExtentTest, CountsWhatLiesBelow) {
  write("a/b/c", "deep");
  write("a/d", "12");
  ASSERT_EQ(symlink("nowhere", in_root("a/link").c_str()), 0);
  auto extent = measure_tree(captured().tree, channel_, {});
  ASSERT_TRUE(extent) << extent.error().message;
  EXPECT_EQ(*extent, (TreeExtent{5, 6, 2}));
}

TEST_F(TreeExtentTest, CountsADirectoryAsOftenAsItOccurs) {
  auto extent = measure_tree(bomb(3), channel_, {});
  ASSERT_TRUE(extent) << extent.error().message;
  EXPECT_EQ(*extent, (TreeExtent{40 + 40 * 40 + 40 * 40 * 40, 0, 3}));
}

TEST_F(TreeExtentTest, ATreeBeyondAllNumbersIsRefusedBeforeItIsWritten) {
  for (int levels : {12, 13}) {
    auto result = materialise(bomb(levels), out(), {}, channel_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::invalid);
    EXPECT_NE(result.error().message.find("limit (tree-entries) of 50000000"), std::string::npos)
        << result.error().message;
    EXPECT_TRUE(list_directory(out())->empty());
  }
}

TEST_F(TreeExtentTest, LimitsAreHeld) {
  write("a", "12345");
  write("b/c/d", "12345");
  const Digest tree = captured().tree;
  EXPECT_TRUE(measure_tree(tree, channel_, {.entries = 4, .depth = 2, .bytes = 10}));
  EXPECT_FALSE(measure_tree(tree, channel_, {.entries = 3}));
  EXPECT_FALSE(measure_tree(tree, channel_, {.depth = 1}));
  EXPECT_FALSE(measure_tree(tree, channel_, {.bytes = 9}));
  EXPECT_TRUE(measure_tree(chain(100), channel_, {.depth = 100}));
  EXPECT_FALSE(measure_tree(chain(101), channel_, {.depth = 100}));
}

TEST_F(TreeExtentTest, StopsWhenAsked) {
  write("a", "1");
  std::stop_source stop;
  MaterialiseOptions options;
  options.stop = stop.get_token();
  options.progress = [&](uint64_t) { stop.request_stop(); };
  write("b", "2");
  auto result = materialise(captured().tree, out(), options, channel_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace plz
