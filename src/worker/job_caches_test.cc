#include "worker/job_caches.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include "os/file.h"
#include "runtime/runtime.h"
#include "worker/fake_controller.h"

namespace plz {
namespace {

using namespace testing_worker;

class JobCachesTest : public testing::Test {
 protected:
  // One start of a job.
  struct Start {
    TreeCache::Hold code, input;
    JobCaches::Hold cache;
    FileTime code_time, input_time;
    void end() { cache.release(), code.release(), input.release(); }
  };
  JobCachesTest() {
    EXPECT_TRUE(trees_.load());
    open();
  }
  void open(std::string boot = "boot-1") {
    caches_ = std::make_unique<JobCaches>(directory_.path() + "/caches", std::move(boot), trees_);
  }
  Digest tree(const std::string& content) { return controller_.put_tree({{"file", content}}); }
  Start start(const std::string& code, const std::string& input = "", const std::string& project = "digits") {
    Start start;
    const Digest code_tree = tree(code), input_tree = input.empty() ? Digest() : tree(input);
    start.code = *trees_.acquire(code_tree, TreeUse::code, controller_.blobs());
    if (!input.empty()) start.input = *trees_.acquire(input_tree, TreeUse::input, controller_.blobs());
    auto cache = caches_->acquire({"ada", project, code_tree, input_tree, start.code, start.input}, {});
    EXPECT_TRUE(cache) << cache.error().message;
    if (!cache) return start;
    start.cache = std::move(*cache);
    start.code_time = trees_.time(start.code);
    if (start.input) start.input_time = trees_.time(start.input);
    EXPECT_LE(start.code_time, file_time_now());
    return start;
  }
  static std::chrono::sys_seconds second(FileTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

  TemporaryDirectory directory_{in_memory()};
  FakeController controller_;
  TreeCache trees_{directory_.path() + "/trees", 1u << 30, "boot-1"};
  std::unique_ptr<JobCaches> caches_;
};

TEST_F(JobCachesTest, ATreeIsNewerThanWhatWasMadeFromTheOneBefore) {
  FileTime last_second{};
  for (const char* content : {"one", "two", "one", "two"}) {
    const FileTime made_before = file_time_now();
    Start now = start(content);
    EXPECT_GT(second(now.code_time), last_second) << content;
    if (last_second != FileTime{}) {
      EXPECT_GT(now.code_time, made_before - std::chrono::seconds(2));
    }
    EXPECT_EQ(base_name(now.cache.name()), "1");
    last_second = second(now.code_time);
    now.end();
  }
}

TEST_F(JobCachesTest, WhatTheJobBeforeMadeIsOlder) {
  Start one = start("one");
  one.end();
  Start two = start("two");
  const FileTime made = file_time_now();
  two.end();
  EXPECT_GT(start("one").code_time, made);
}

TEST_F(JobCachesTest, TheSameTreeKeepsItsTime) {
  Start first = start("one", "data");
  const FileTime code = first.code_time, input = first.input_time;
  first.end();
  Start again = start("one", "data");
  EXPECT_EQ(again.code_time, code);
  EXPECT_EQ(again.input_time, input);
  again.end();
  open();
  EXPECT_EQ(start("one", "data").code_time, code);
}

TEST_F(JobCachesTest, AnotherBootTrustsNoLedger) {
  Start first = start("one");
  const FileTime code = first.code_time;
  first.end();
  open("boot-2");
  EXPECT_GT(second(start("one").code_time), second(code));
}

TEST_F(JobCachesTest, VersionsThatRunAtOnceHaveCachesOfTheirOwn) {
  Start one = start("one"), two = start("two"), one_again = start("one");
  EXPECT_NE(one.cache.path(), two.cache.path());
  EXPECT_EQ(one.cache.path(), one_again.cache.path());
  const std::string second_cache = two.cache.path();
  one.end();
  two.end();
  EXPECT_EQ(start("two").cache.path(), second_cache);
  EXPECT_NE(start("three").cache.path(), one_again.cache.path());
}

TEST_F(JobCachesTest, AnotherInputIsAnotherVersion) {
  Start x = start("one", "x"), y = start("one", "y"), none = start("one");
  EXPECT_NE(x.cache.path(), y.cache.path());
  EXPECT_TRUE(none.cache.path() == x.cache.path() || none.cache.path() == y.cache.path());
}

TEST_F(JobCachesTest, ProjectsShareDownloadsAlone) {
  Start one = start("one"), other = start("one", "", "letters");
  EXPECT_NE(one.cache.path(), other.cache.path());
  EXPECT_EQ(one.cache.downloads(), other.cache.downloads());
  char target[256] = {};
  ASSERT_GT(readlink((other.cache.path() + "/huggingface/hub").c_str(), target, sizeof target - 1), 0);
  EXPECT_EQ(std::string(target), std::string(kJobDownloadsPath) + "/huggingface/hub");
  EXPECT_TRUE(path_exists(one.cache.downloads() + "/huggingface/hub"));
}

TEST_F(JobCachesTest, NoLinkOfAJobIsFollowed) {
  Start one = start("one");
  const std::string cache = one.cache.path(), downloads = one.cache.downloads(),
                    outside = directory_.path() + "/outside";
  ASSERT_TRUE(make_directories(outside));
  for (const std::string& directory : {cache, downloads}) {
    ASSERT_TRUE(remove_tree(directory + "/huggingface"));
    ASSERT_EQ(symlink(outside.c_str(), (directory + "/huggingface").c_str()), 0);
  }
  one.end();
  Start again = start("one");
  EXPECT_EQ(again.cache.path(), cache);
  EXPECT_TRUE(list_directory(outside)->empty());
}

TEST_F(JobCachesTest, WhatWasSpoiltDoesNotCount) {
  Start one = start("one");
  const FileTime before = one.code_time;
  one.cache.spoil();
  one.end();
  EXPECT_GT(second(start("one").code_time), second(before));
}

TEST_F(JobCachesTest, ACacheIsTakenUpAgain) {
  Start one = start("one");
  const std::string name = one.cache.name();
  one.end();
  open();
  auto taken = caches_->take_up(name, false);
  EXPECT_EQ(taken.name(), name);
  EXPECT_NE(start("two").cache.name(), name);
  EXPECT_FALSE(caches_->take_up("projects/user-ada/project-none/1", false));
}

TEST_F(JobCachesTest, NamesOfProjectsAreAnyText) {
  for (const std::string& name : {std::string(".."), std::string("a/b"), std::string(300, 'x'), std::string(301, 'x')})
    EXPECT_NE(start("one", "", name).cache.path(), "");
  EXPECT_NE(start("one", "", std::string(300, 'x')).cache.path(), start("one", "", std::string(301, 'x')).cache.path());
}

}  // namespace
}  // namespace plz
