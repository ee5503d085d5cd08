#include "store/materialise.h"

#include "store/capture/scratch_tree_test.h"
#include "store/chunker.h"

namespace plz {
namespace {

class MaterialiseTest : public ScratchTree {
 protected:
  std::string out() const { return scratch_ + "/out"; }
  std::string at(const std::string& path) const { return out() + "/" + path; }
  mode_t mode_of(const std::string& path) {
    struct stat st = {};
    EXPECT_EQ(lstat(at(path).c_str(), &st), 0) << path;
    return st.st_mode & 07777;
  }
  Digest put(const Tree& tree) { return channel_.put(encode_tree(tree)); }
  TreeEntry file(std::string name, std::string content, uint32_t mode = 0644) {
    uint64_t bytes = content.size();
    return {.name = std::move(name), .mode = mode, .bytes = bytes, .digest = channel_.put(std::move(content))};
  }
};

TEST_F(MaterialiseTest, WritesWhatWasCaptured) {
  mode_t old_umask = umask(077);
  write("a/b/c", "deep", 0640);
  write("empty-file", "", 0666);
  write("run", "#!", 0755);
  write("big", std::string(5'000'000, 'z'));
  ASSERT_EQ(mkdir(in_root("nothing").c_str(), 0755), 0);
  ASSERT_EQ(chmod(in_root("nothing").c_str(), 01777), 0);
  ASSERT_EQ(symlink("/no/where", in_root("link").c_str()), 0);
  auto first = captured();
  auto result = materialise(first.tree, out(), {}, channel_);
  umask(old_umask);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*read_file(at("a/b/c")), "deep");
  EXPECT_EQ(mode_of("a/b/c"), 0640u);
  EXPECT_EQ(mode_of("empty-file"), 0666u);
  EXPECT_EQ(mode_of("nothing"), 01777u);
  root_ = out();
  EXPECT_EQ(captured().tree, first.tree);
}

TEST_F(MaterialiseTest, WritesIntoDirectoriesThatForbidIt) {
  write("closed/inner/file", "x", 0400);
  ASSERT_EQ(chmod(in_root("closed/inner").c_str(), 0555), 0);
  ASSERT_EQ(chmod(in_root("closed").c_str(), 0555), 0);
  auto first = captured();
  ASSERT_TRUE(materialise(first.tree, out(), {}, channel_));
  EXPECT_EQ(mode_of("closed"), 0555u);
  EXPECT_EQ(mode_of("closed/inner"), 0555u);
  EXPECT_EQ(mode_of("closed/inner/file"), 0400u);
}

TEST_F(MaterialiseTest, DropsTheWriteBitsOfAReadOnlyCopy) {
  write("dir/file", "x", 0664);
  ASSERT_TRUE(materialise(captured().tree, out(), {.read_only = true}, channel_));
  EXPECT_EQ(mode_of("dir/file"), 0444u);
  EXPECT_EQ(mode_of("dir"), 0555u);
  EXPECT_EQ(mode_of("") & 0222u, 0u);
}

TEST_F(MaterialiseTest, KeepsHolesAsHoles) {
  auto fd = open_file(in_root("sparse"), O_WRONLY | O_CREAT, 0644);
  ASSERT_EQ(ftruncate(fd->get(), 1 << 30), 0);
  ASSERT_TRUE(pwrite_all(fd->get(), "island", 500'000'000));
  ASSERT_TRUE(materialise(captured().tree, out(), {}, channel_));
  struct stat st;
  ASSERT_EQ(stat(at("sparse").c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 1 << 30);
  EXPECT_LT(st.st_blocks * 512, 1 << 20);
  auto copy = open_file(at("sparse"), O_RDONLY);
  char bytes[6];
  ASSERT_EQ(*pread_up_to(copy->get(), bytes, 6, 500'000'000), 6u);
  EXPECT_EQ(std::string_view(bytes, 6), "island");
}

TEST_F(MaterialiseTest, RefusesADirectoryThatIsNotEmpty) {
  write("a", "1");
  auto result = materialise(captured().tree, root_, {}, channel_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::conflict);
}

TEST_F(MaterialiseTest, NamesWhatTheStoreLacks) {
  write("a", "1");
  auto tree = captured().tree;
  Digest lost = (*find_entry(tree, "a", channel_))->digest;
  channel_.erase(lost);
  auto result = materialise(tree, out(), {}, channel_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  EXPECT_NE(result.error().message.find(lost.hex()), std::string::npos);
}

TEST_F(MaterialiseTest, RefusesATreeThatLiesAboutSizes) {
  TreeEntry entry = file("a", "four");
  entry.bytes = 5;
  EXPECT_FALSE(materialise(put({{entry}}), scratch_ + "/one", {}, channel_));
  TreeEntry big{.name = "b", .kind = EntryKind::chunked_file, .bytes = 4};
  big.digest = channel_.put(encode_chunk_list({{entry.digest, 5}}));
  EXPECT_FALSE(materialise(put({{big}}), scratch_ + "/two", {}, channel_));
  big.bytes = 5;
  EXPECT_FALSE(materialise(put({{big}}), scratch_ + "/three", {}, channel_));
}

TEST_F(MaterialiseTest, FollowsPathsToEntries) {
  write("x/y", "1");
  auto tree = captured().tree;
  EXPECT_EQ((*find_entry(tree, "", channel_))->digest, tree);
  EXPECT_EQ((*find_entry(tree, "x/y", channel_))->bytes, 1u);
  EXPECT_EQ(*find_entry(tree, "x/z", channel_), std::nullopt);
  EXPECT_EQ(*find_entry(tree, "x/y/z", channel_), std::nullopt);
}

TEST_F(MaterialiseTest, CountsTheBytes) {
  write("a", "12345");
  write("big", std::string(3'000'000, 'b'));
  std::atomic<uint64_t> most = 0;
  MaterialiseOptions options{.progress = [&](uint64_t done) {
    uint64_t seen = most;
    while (seen < done && !most.compare_exchange_weak(seen, done)) {
    }
  }};
  ASSERT_TRUE(materialise(captured().tree, out(), options, channel_));
  EXPECT_EQ(most, 3'000'005u);
}

}  // namespace
}  // namespace plz
