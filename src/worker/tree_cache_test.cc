#include "worker/tree_cache.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <thread>

#include "os/file.h"
#include "worker/fake_controller.h"

namespace plz {
namespace {

using namespace testing_worker;

class TreeCacheTest : public testing::Test {
 protected:
  std::unique_ptr<TreeCache> open(uint64_t limit = 1u << 30, std::string boot = "boot-1") {
    auto cache = std::make_unique<TreeCache>(path(), limit, std::move(boot));
    EXPECT_TRUE(cache->load());
    return cache;
  }
  std::string path() const { return directory_.path() + "/trees"; }
  Digest tree(const std::string& content) { return controller_.put_tree({{"file", content}}); }
  TreeCache::Hold acquire(TreeCache& cache, const Digest& tree, TreeUse use = TreeUse::code) {
    auto hold = cache.acquire(tree, use, controller_.blobs());
    EXPECT_TRUE(hold) << hold.error().message;
    return hold ? std::move(*hold) : TreeCache::Hold();
  }
  size_t fetches() { return controller_.count("fetch"); }

  TemporaryDirectory directory_{in_memory()};
  FakeController controller_;
};

TEST_F(TreeCacheTest, FetchesATreeOnce) {
  auto cache = open();
  Digest a = tree("a");
  auto first = acquire(*cache, a);
  EXPECT_EQ(read_file(first.path() + "/file"), "a");
  size_t before = fetches();
  auto second = acquire(*cache, a);
  EXPECT_EQ(second.path(), first.path());
  EXPECT_EQ(fetches(), before);
}

TEST_F(TreeCacheTest, SeveralWaitForTheFirst) {
  auto cache = open();
  Digest a = tree("a");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_NE(acquire(*cache, a).path(), ""); });
  threads.clear();
  size_t once = fetches();
  acquire(*open(), tree("b"));
  EXPECT_EQ(fetches(), 2 * once);
}

TEST_F(TreeCacheTest, IsClearedOfWhatNobodyHolds) {
  auto cache = open();
  auto held = acquire(*cache, tree("a"));
  const std::string path_of_b = acquire(*cache, tree("b")).path();
  const uint64_t both = cache->bytes();
  auto foreseen = cache->clear(true);
  EXPECT_TRUE(path_exists(path_of_b));
  auto cleared = cache->clear(false);
  EXPECT_EQ(foreseen.trees, 1u);
  EXPECT_EQ(cleared.trees, 1u);
  EXPECT_EQ(foreseen.bytes, cleared.bytes);
  EXPECT_EQ(cache->bytes(), both - cleared.bytes);
  EXPECT_FALSE(path_exists(path_of_b));
  EXPECT_TRUE(path_exists(held.path()));
}

TEST_F(TreeCacheTest, InputIsReadOnlyAndCodeIsNot) {
  auto cache = open();
  Digest a = tree("a");
  auto code = acquire(*cache, a, TreeUse::code), input = acquire(*cache, a, TreeUse::input);
  struct stat status {};
  ASSERT_EQ(stat((code.path() + "/file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0200, 0200u);
  ASSERT_EQ(stat((input.path() + "/file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0222, 0u);
}

TEST_F(TreeCacheTest, RemovesTheLeastRecentlyUsedAndNeverWhatIsHeld) {
  auto cache = open(60'000);
  std::string content(20'000, 'x');
  Digest a = tree(content + "a"), b = tree(content + "b"), c = tree(content + "c");
  auto held = acquire(*cache, a);
  acquire(*cache, b);
  acquire(*cache, c);
  cache->evict();
  EXPECT_TRUE(path_exists(held.path()));
  EXPECT_LE(cache->bytes(), 60'000u);
  size_t before = fetches();
  acquire(*cache, c);
  EXPECT_EQ(fetches(), before);
  acquire(*cache, b);
  EXPECT_GT(fetches(), before);
  EXPECT_EQ(list_directory(path())->size(), 3u);
  held.release();
  cache->evict();
  EXPECT_EQ(list_directory(path())->size(), 2u);
}

TEST_F(TreeCacheTest, AFailureLeavesNothing) {
  auto cache = open();
  controller_.fail_next("fetch", ErrorCode::unavailable, 1);
  Digest a = tree("a");
  auto failed = cache->acquire(a, TreeUse::code, controller_.blobs());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(list_directory(path())->empty());
  EXPECT_NE(acquire(*cache, a).path(), "");
}

TEST_F(TreeCacheTest, ALaterProcessOfThisBootTrustsIt) {
  acquire(*open(), tree("a"));
  size_t before = fetches();
  acquire(*open(), tree("a"));
  EXPECT_EQ(fetches(), before);
}

TEST_F(TreeCacheTest, ALaterBootTrustsWhatWasSyncedOnly) {
  {
    auto cache = open();
    acquire(*cache, tree("a"));
    ASSERT_TRUE(cache->sync());
    acquire(*cache, tree("b"));
  }
  auto cache = open(1u << 30, "boot-2");
  EXPECT_EQ(list_directory(path())->size(), 1u);
  size_t before = fetches();
  acquire(*cache, tree("a"));
  EXPECT_EQ(fetches(), before);
  acquire(*cache, tree("b"));
  EXPECT_GT(fetches(), before);
}

TEST_F(TreeCacheTest, WithoutABootIdOnlySyncedTreesAreTrusted) {
  acquire(*open(1u << 30, ""), tree("a"));
  open(1u << 30, "");
  EXPECT_TRUE(list_directory(path())->empty());
}

TEST_F(TreeCacheTest, WhatWasUnderWayIsRemoved) {
  write_text(path() + "/making-" + std::string(64, 'a') + ".code/complete", "boot-1 5\n");
  write_text(path() + "/removing-1-" + std::string(64, 'a') + ".code/complete", "synced 5\n");
  write_text(path() + "/" + std::string(64, 'a') + ".code/tree/file", "no marker");
  auto cache = open();
  EXPECT_TRUE(list_directory(path())->empty());
  EXPECT_EQ(cache->bytes(), 0u);
}

TEST_F(TreeCacheTest, TheOrderOfUseOutlivesAProcess) {
  std::string content(20'000, 'x');
  {
    auto cache = open();
    acquire(*cache, tree(content + "a"));
    acquire(*cache, tree(content + "b"));
    // The kernel's clock of files has a resolution of some milliseconds.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    acquire(*cache, tree(content + "a"));
  }
  auto cache = open(30'000);
  cache->evict();
  size_t before = fetches();
  acquire(*cache, tree(content + "a"));
  EXPECT_EQ(fetches(), before);
}

}  // namespace
}  // namespace plz
