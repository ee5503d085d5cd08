#include "os/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "os/temporary_directory_test.h"

namespace plz {
namespace {

class FileTest : public testing::Test {
 protected:
  TemporaryDirectory temporary_;
  const std::string directory_ = temporary_.path();
};

TEST_F(FileTest, WritesAtomicallyAndReadsBack) {
  std::string path = directory_ + "/a";
  ASSERT_TRUE(write_file_atomically(path, "one", 0600, Sync::yes));
  ASSERT_TRUE(write_file_atomically(path, "two", 0600, Sync::no));
  EXPECT_EQ(*read_file(path), "two");
  EXPECT_EQ(list_directory(directory_)->size(), 1u);
}

TEST_F(FileTest, TellsAbsenceFromFailure) {
  EXPECT_EQ(*read_file_if_exists(directory_ + "/none"), std::nullopt);
  EXPECT_FALSE(read_file_if_exists(directory_));
}

TEST_F(FileTest, RefusesAFileOverTheLimit) {
  ASSERT_TRUE(write_file_atomically(directory_ + "/big", std::string(100, 'x'), 0600, Sync::no));
  auto content = read_file(directory_ + "/big", 99);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().code, ErrorCode::invalid);
}

TEST_F(FileTest, RemovesTreesDeeperThanAPathCanName) {
  int fd = open(directory_.c_str(), O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < 300; ++i) {
    std::string name(50, 'd');
    ASSERT_EQ(mkdirat(fd, name.c_str(), 0700), 0);
    int next = openat(fd, name.c_str(), O_DIRECTORY | O_CLOEXEC);
    close(fd);
    fd = next;
  }
  close(fd);
  ASSERT_TRUE(make_directories(directory_ + "/closed"));
  ASSERT_TRUE(write_file_atomically(directory_ + "/closed/file", "", 0600, Sync::no));
  ASSERT_EQ(chmod((directory_ + "/closed").c_str(), 0), 0);
  ASSERT_TRUE(remove_tree(directory_));
  EXPECT_FALSE(path_exists(directory_));
}

TEST(Path, IsMadeAbsolute) {
  EXPECT_EQ(absolute_path("a/../b/./c", "/x"), "/x/b/c");
  EXPECT_EQ(absolute_path("../../..", "/x"), "/");
  EXPECT_EQ(absolute_path("/y//z/", "/x"), "/y/z");
  EXPECT_EQ(parent_path("/a/b/"), "/a");
  EXPECT_EQ(parent_path("a"), ".");
  EXPECT_EQ(base_name("/a/b/"), "b");
}

}  // namespace
}  // namespace plz
