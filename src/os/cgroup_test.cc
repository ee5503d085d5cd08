#include "os/cgroup.h"

#include <unistd.h>

#include <gtest/gtest.h>

#include "os/file.h"

namespace plz {
namespace {

// A directory that looks like the root of a system.
class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "plz-cgroup-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern + "/";
    ASSERT_TRUE(make_directories(root_ + "proc/self"));
  }
  void TearDown() override { EXPECT_TRUE(remove_tree(root_)); }
  std::string root_;
};

// In a plain directory the kernel does not fill a new cgroup with its files.
TEST_F(CgroupTest, LeavesNothingWhereThereIsNoMemoryController) {
  ASSERT_TRUE(write_file_atomically(root_ + "proc/self/cgroup", "0::/a/own\n", 0600, Sync::no));
  ASSERT_TRUE(make_directories(root_ + "sys/fs/cgroup/a/own"));
  auto made = make_memory_cgroup(1 << 20, root_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::unavailable);
  EXPECT_NE(made.error().message.find("/sys/fs/cgroup/a/plz-"), std::string::npos) << made.error().message;
  EXPECT_EQ(*list_directory(root_ + "sys/fs/cgroup/a"), std::vector<std::string>{"own"});
}

TEST_F(CgroupTest, SaysThatThereIsNone) {
  ASSERT_TRUE(write_file_atomically(root_ + "proc/self/cgroup", "", 0600, Sync::no));
  EXPECT_EQ(make_memory_cgroup(1 << 20, root_).error().code, ErrorCode::unavailable);
}

TEST_F(CgroupTest, CountsKills) {
  ASSERT_TRUE(write_file_atomically(root_ + "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", 0600,
                                    Sync::no));
  EXPECT_EQ(cgroup_oom_kills(root_), 2u);
  ASSERT_TRUE(
      write_file_atomically(root_ + "memory.events", "low 0\noom 3\noom_kill 1\noom_group_kill 0\n", 0600, Sync::no));
  EXPECT_EQ(cgroup_oom_kills(root_), 1u);
  EXPECT_EQ(cgroup_oom_kills(root_ + "gone"), std::nullopt);
}

TEST(Cgroup, IsMadeWhereThisUserMay) {
  auto made = make_memory_cgroup(64u << 20);
  if (!made) GTEST_SKIP() << made.error().message;
  EXPECT_EQ(cgroup_oom_kills(*made), 0u);
  EXPECT_TRUE(path_exists(cgroup_procs_file(*made)));
  EXPECT_TRUE(remove_cgroup(*made));
  EXPECT_TRUE(remove_cgroup(*made));
}

}  // namespace
}  // namespace plz
