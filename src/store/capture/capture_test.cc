#include "store/capture.h"

#include "store/capture/random_bytes_test.h"
#include "store/capture/scratch_tree_test.h"
#include "store/chunker.h"
#include "store/hasher.h"

namespace plz {
namespace {

using Lines = std::vector<std::string>;

class CaptureTest : public ScratchTree {};

TEST_F(CaptureTest, KeepsContentModesLinksAndEmptyDirectories) {
  write("a.txt", "hello");
  write("bin/run", "#!/bin/sh\n", 0755);
  write("bin/secret", "", 0600);
  ASSERT_EQ(mkdir(in_root("empty").c_str(), 0700), 0);
  ASSERT_EQ(symlink("../a.txt", in_root("bin/link").c_str()), 0);
  auto result = captured();
  EXPECT_EQ(listing(result.tree), (Lines{"a.txt f644 hello", "bin d755 ", "bin/link l -> ../a.txt",
                                         "bin/run f755 #!/bin/sh\n", "bin/secret f600 ", "empty d700 "}));
  EXPECT_EQ(result.files, 4u);
  EXPECT_EQ(result.total_bytes, 15u);
  EXPECT_TRUE(result.warnings.empty());
}

TEST_F(CaptureTest, EqualTreesHaveEqualDigests) {
  write("x/one", "1");
  write("x/two", "2");
  write("y/two", "2");
  write("y/one", "1");
  auto result = captured();
  EXPECT_EQ(find_entry(result.tree, "x", channel_)->value().digest,
            find_entry(result.tree, "y", channel_)->value().digest);
}

TEST_F(CaptureTest, AsksOneQuestionWhenNothingChanged) {
  for (int i = 0; i < 300; ++i) write("d" + std::to_string(i % 7) + "/f" + std::to_string(i), std::to_string(i));
  auto first = captured();
  auto before = channel_.counts();
  auto cache_before = *read_file(options_.stat_cache_path);
  struct stat st_before, st_after;
  stat(options_.stat_cache_path.c_str(), &st_before);
  auto second = captured();
  auto after = channel_.counts();
  EXPECT_EQ(second.tree, first.tree);
  EXPECT_EQ(second.files, first.files);
  EXPECT_EQ(second.total_bytes, first.total_bytes);
  EXPECT_EQ(after.missing_calls - before.missing_calls, 1u);
  EXPECT_EQ(after.digests_asked - before.digests_asked, 1u);
  EXPECT_EQ(after.packs, before.packs);
  stat(options_.stat_cache_path.c_str(), &st_after);
  EXPECT_EQ(st_before.st_ino, st_after.st_ino);  // not written again
}

TEST_F(CaptureTest, SendsOnlyWhatChanged) {
  for (int i = 0; i < 50; ++i) write("d" + std::to_string(i % 5) + "/f" + std::to_string(i), std::to_string(i));
  captured();
  auto before = channel_.counts();
  write("d3/f3", "changed");
  auto result = captured();
  auto after = channel_.counts();
  EXPECT_EQ(after.blobs_received - before.blobs_received, 3u);  // the file, its directory, the root
  EXPECT_EQ(after.digests_asked - before.digests_asked, 4u);    // and the tree of before
  EXPECT_EQ(describe(**find_entry(result.tree, "d3/f3", channel_)), "f644 changed");
}

TEST_F(CaptureTest, NoticesAnEditInPlaceWithinTheSameTick) {
  for (int i = 0; i < 200; ++i) {
    std::string content = std::to_string(1000 + i);
    write("f", content);
    auto result = capture(root_, options_, channel_);
    ASSERT_TRUE(result);
    EXPECT_EQ(describe(**find_entry(result->tree, "f", channel_)), "f644 " + content);
  }
}

TEST_F(CaptureTest, NoticesAnEditThatKeepsSizeAndModificationTime) {
  write("f", "aaaa");
  struct stat st;
  stat(in_root("f").c_str(), &st);
  auto first = captured();
  captured();
  write("f", "bbbb");
  timespec times[2] = {st.st_atim, st.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, in_root("f").c_str(), times, 0), 0);
  EXPECT_NE(captured().tree, first.tree);
}

TEST_F(CaptureTest, NoticesModesRenamesRemovalsAndKinds) {
  write("a", "1");
  write("b", "2");
  write("dir/c", "3");
  captured();
  ASSERT_EQ(chmod(in_root("a").c_str(), 0755), 0);
  EXPECT_EQ(listing(captured().tree), (Lines{"a f755 1", "b f644 2", "dir d755 ", "dir/c f644 3"}));
  ASSERT_EQ(rename(in_root("b").c_str(), in_root("z").c_str()), 0);
  EXPECT_EQ(listing(captured().tree), (Lines{"a f755 1", "dir d755 ", "dir/c f644 3", "z f644 2"}));
  ASSERT_EQ(chmod(in_root("dir").c_str(), 0711), 0);
  EXPECT_EQ(listing(captured().tree), (Lines{"a f755 1", "dir d711 ", "dir/c f644 3", "z f644 2"}));
  ASSERT_EQ(unlink(in_root("z").c_str()), 0);
  ASSERT_TRUE(remove_tree(in_root("dir")));
  ASSERT_EQ(symlink("a", in_root("dir").c_str()), 0);
  EXPECT_EQ(listing(captured().tree), (Lines{"a f755 1", "dir l -> a"}));
  ASSERT_EQ(unlink(in_root("dir").c_str()), 0);
  ASSERT_EQ(symlink("b", in_root("dir").c_str()), 0);
  EXPECT_EQ(listing(captured().tree), (Lines{"a f755 1", "dir l -> b"}));
}

TEST_F(CaptureTest, SendsAllAgainToAStoreThatWasEmptied) {
  for (int i = 0; i < 60; ++i) write("d" + std::to_string(i % 5) + "/e/f" + std::to_string(i), std::to_string(i));
  auto first = captured();
  size_t blobs = channel_.blobs();
  channel_.clear();
  EXPECT_EQ(captured().tree, first.tree);
  EXPECT_EQ(channel_.blobs(), blobs);
  channel_.clear();
  write("d1/new", "new");
  EXPECT_EQ(listing(captured().tree).size(), 60u + 10u + 1u);
}

TEST_F(CaptureTest, LooksOnlyIntoDirectoriesThatTheStoreLacks) {
  for (int i = 0; i < 40; ++i) write("d" + std::to_string(i % 4) + "/f" + std::to_string(i), std::to_string(i));
  auto first = captured();
  channel_.erase((**find_entry(first.tree, "d2", channel_)).digest);
  channel_.erase(first.tree);
  auto d2 = *list_directory(in_root("d2"));
  auto before = channel_.counts();
  EXPECT_EQ(captured().tree, first.tree);
  auto after = channel_.counts();
  EXPECT_LE(after.digests_asked - before.digests_asked, 1u + 4u + d2.size() + 2u);
}

TEST_F(CaptureTest, IgnoresADamagedCacheAndAnotherRoots) {
  write("a", "1");
  write("b/c", "2");
  auto first = captured();
  auto cache = *read_file(options_.stat_cache_path);
  for (size_t at = 0; at < cache.size(); at += 7) {
    auto damaged = cache;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    ASSERT_TRUE(write_file_atomically(options_.stat_cache_path, damaged, 0600, Sync::no));
    EXPECT_EQ(captured().tree, first.tree) << at;
  }
  for (std::string_view bytes : {"", "PLZSTAT1", "nonsense"}) {
    ASSERT_TRUE(write_file_atomically(options_.stat_cache_path, bytes, 0600, Sync::no));
    EXPECT_EQ(captured().tree, first.tree);
  }
  root_ = scratch_ + "/root/b";
  EXPECT_EQ(listing(captured().tree), Lines{"c f644 2"});
}

TEST_F(CaptureTest, ACacheThatCannotBeWrittenIsAWarning) {
  write("a", "1");
  options_.stat_cache_path = scratch_ + "/root/a/cache";
  auto result = captured();
  EXPECT_EQ(listing(result.tree), Lines{"a f644 1"});
  EXPECT_EQ(result.warnings.size(), 1u);
}

TEST_F(CaptureTest, CapturesOneFileUnderItsName) {
  write("data.csv", "x,y\n");
  write("other", "left alone");
  ASSERT_EQ(symlink("data.csv", in_root("latest.csv").c_str()), 0);
  root_ = in_root("data.csv");
  auto result = captured();
  EXPECT_EQ(listing(result.tree), Lines{"data.csv f644 x,y\n"});
  EXPECT_EQ(result.files, 1u);
  EXPECT_EQ(captured().tree, result.tree);
  root_ = scratch_ + "/root/latest.csv";
  EXPECT_EQ(listing(captured().tree), Lines{"latest.csv f644 x,y\n"});
}

TEST_F(CaptureTest, FollowsALinkThatIsTheRoot) {
  write("a", "1");
  ASSERT_EQ(symlink(root_.c_str(), (scratch_ + "/link").c_str()), 0);
  auto direct = captured();
  root_ = scratch_ + "/link";
  EXPECT_EQ(captured().tree, direct.tree);
}

TEST_F(CaptureTest, CutsLargeFilesAndSendsOnlyTheChunksThatChanged) {
  auto content = random_bytes(20u << 20);
  write("big", content);
  auto first = captured();
  auto entry = **find_entry(first.tree, "big", channel_);
  EXPECT_EQ(entry.kind, EntryKind::chunked_file);
  EXPECT_EQ(describe(entry), "F644 " + std::to_string(content.size()) + " bytes");
  EXPECT_EQ(first.content_bytes_sent, content.size());
  auto before = channel_.counts();
  write("big", content + random_bytes(1u << 20, 2));
  auto second = captured();
  EXPECT_LT(channel_.counts().pack_bytes - before.pack_bytes, 4u << 20);
  EXPECT_EQ(second.total_bytes, 21u << 20);
  std::string read;
  ASSERT_TRUE(
      read_entry(**find_entry(second.tree, "big", channel_), channel_, [&](std::string_view bytes) -> Result<void> {
        read += bytes;
        return {};
      }));
  EXPECT_EQ(digest_of(read), digest_of(content + random_bytes(1u << 20, 2)));
}

// The chunks of before are a shortcut, never a difference.
TEST_F(CaptureTest, ALargeFileIsCutAlikeWhateverItWasBefore) {
  auto content = random_bytes(12u << 20);
  auto changed = content;
  changed[5'000'000] ^= 1;
  auto inserted = content;
  inserted.insert(3'000'000, "a few bytes");
  std::string zeros(7u << 20, '\0');
  std::vector<std::string> versions = {content,
                                       changed,
                                       content.substr(0, 9'000'000),
                                       content + content.substr(0, 100'000),
                                       inserted,
                                       inserted,
                                       content + zeros + content,
                                       zeros,
                                       content.substr(0, kChunkedFileThreshold),
                                       content};
  for (size_t i = 0; i < versions.size(); ++i) {
    write("big", versions[i]);
    auto with_cache = captured();
    MemoryBlobChannel fresh;
    CaptureOptions no_cache;
    auto without = capture(root_, no_cache, fresh);
    ASSERT_TRUE(without);
    EXPECT_EQ(with_cache.tree, without->tree) << i;
    channel_.clear();
    EXPECT_EQ(captured().tree, with_cache.tree) << i;
  }
}

TEST_F(CaptureTest, AHoleThatIsPunchedOrFilledIsNoticed) {
  write("big", random_bytes(12u << 20));
  captured();
  auto fd = open_file(in_root("big"), O_RDWR);
  ASSERT_EQ(fallocate(fd->get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 8 << 20), 0);
  auto punched = captured();
  auto content = *read_file(in_root("big"));
  write("copy", content);
  auto tree = captured().tree;
  EXPECT_EQ((*find_entry(tree, "big", channel_))->digest, (*find_entry(tree, "copy", channel_))->digest);
  ASSERT_TRUE(pwrite_all(fd->get(), "filled", 5 << 20));
  tree = captured().tree;
  EXPECT_NE((*find_entry(tree, "big", channel_))->digest, (*find_entry(tree, "copy", channel_))->digest);
}

TEST_F(CaptureTest, TellsSmallFromLargeAtTheThreshold) {
  write("at", random_bytes(kChunkedFileThreshold));
  write("over", random_bytes(kChunkedFileThreshold + 1));
  auto tree = captured().tree;
  EXPECT_EQ((*find_entry(tree, "at", channel_))->kind, EntryKind::file);
  EXPECT_EQ((*find_entry(tree, "over", channel_))->kind, EntryKind::chunked_file);
}

TEST_F(CaptureTest, DoesNotReadHoles) {
  auto fd = open_file(in_root("sparse"), O_WRONLY | O_CREAT, 0644);
  ASSERT_EQ(ftruncate(fd->get(), off_t{20} << 30), 0);
  ASSERT_TRUE(pwrite_all(fd->get(), "island", uint64_t{10} << 30));
  auto result = captured();
  EXPECT_EQ(result.total_bytes, uint64_t{20} << 30);
  EXPECT_LT(result.bytes_sent, 2u << 20);
}

TEST_F(CaptureTest, HolesAndWrittenZerosAreEqual) {
  std::string content = random_bytes(300'000) + std::string(9u << 20, '\0') + random_bytes(5000, 3);
  write("a/dense", content);
  ASSERT_EQ(mkdir(in_root("b").c_str(), 0755), 0);
  auto fd = open_file(in_root("b/dense"), O_WRONLY | O_CREAT, 0644);
  ASSERT_EQ(fchmod(fd->get(), 0644), 0);
  ASSERT_EQ(ftruncate(fd->get(), static_cast<off_t>(content.size())), 0);
  ASSERT_TRUE(pwrite_all(fd->get(), std::string_view(content).substr(0, 300'000), 0));
  ASSERT_TRUE(pwrite_all(fd->get(), std::string_view(content).substr(content.size() - 5000), content.size() - 5000));
  auto tree = captured().tree;
  EXPECT_EQ((*find_entry(tree, "a", channel_))->digest, (*find_entry(tree, "b", channel_))->digest);
}

TEST_F(CaptureTest, ReportsProgressAndWhatItSent) {
  write("a", random_bytes(100'000));
  CaptureProgress last;
  std::mutex mutex;
  options_.progress = [&](const CaptureProgress& progress) {
    std::lock_guard lock(mutex);
    last = progress;
  };
  auto result = captured();
  EXPECT_GT(result.bytes_sent, 100'000u);
  EXPECT_EQ(result.bytes_sent, channel_.counts().pack_bytes);
  EXPECT_EQ(last.files_seen, 1u);
  EXPECT_EQ(last.bytes_hashed, 100'000u);
  EXPECT_EQ(last.bytes_sent, result.bytes_sent);
}

}  // namespace
}  // namespace plz
