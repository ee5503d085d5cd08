#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

// A chain of directories below `path`, each with a file, the deepest closed.
void make_chain(const std::string& path, int levels) {
  ASSERT_TRUE(make_directories(path));
  UniqueFd at(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < levels; ++i) {
    ASSERT_TRUE(UniqueFd(openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
    ASSERT_EQ(mkdirat(at.get(), "d", 0700), 0);
    at = UniqueFd(openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ASSERT_EQ(fchmod(at.get(), 0), 0);
}

TEST(RemoveTree, TreesMayBeDeeperThanAProcessMayHaveDescriptors) {
  TemporaryDirectory directory;
  make_chain(directory.path("deep"), 3'000);
  make_chain(directory.path("deep/beside/it"), 300);
  rlimit before, few;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  few = before;
  few.rlim_cur = 200;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  auto removed = remove_tree(directory.path("deep"));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(path_exists(directory.path("deep")));
}

TEST(RemoveTree, LinksAreRemovedAndNotFollowed) {
  TemporaryDirectory directory;
  directory.write("outside/file", "kept");
  ASSERT_TRUE(make_directories(directory.path("tree")));
  ASSERT_EQ(symlink(directory.path("outside").c_str(), directory.path("tree/link").c_str()), 0);
  EXPECT_TRUE(remove_tree(directory.path("tree")));
  EXPECT_EQ(*read_file(directory.path("outside/file")), "kept");
  ASSERT_EQ(symlink(directory.path("outside").c_str(), directory.path("link").c_str()), 0);
  EXPECT_TRUE(remove_tree(directory.path("link")));
  EXPECT_EQ(*read_file(directory.path("outside/file")), "kept");
}

TEST(RemoveTree, WhatIsClosedIsOpenedFirst) {
  TemporaryDirectory directory;
  directory.write("tree/closed/file", "");
  directory.write("tree/read/file", "");
  ASSERT_EQ(chmod(directory.path("tree/closed").c_str(), 0), 0);
  ASSERT_EQ(chmod(directory.path("tree/read").c_str(), 0500), 0);
  EXPECT_TRUE(remove_tree(directory.path("tree")));
  EXPECT_FALSE(path_exists(directory.path("tree")));
  EXPECT_TRUE(remove_tree(directory.path("tree")));
}

}  // namespace
}  // namespace plz
