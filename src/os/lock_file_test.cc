#include "os/lock_file.h"

#include <unistd.h>

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(LockFile, HasOneHolder) {
  std::string path = testing::TempDir() + "plz-lock-" + std::to_string(getpid());
  {
    auto first = LockFile::try_lock(path);
    ASSERT_TRUE(first && *first);
    auto second = LockFile::try_lock(path);
    ASSERT_TRUE(second);
    EXPECT_FALSE(*second);
  }
  auto third = LockFile::try_lock(path);
  ASSERT_TRUE(third);
  EXPECT_TRUE(*third);
  unlink(path.c_str());
}

TEST(LockFile, IsFreeAlthoughAChildHasACopy) {
  std::string path = testing::TempDir() + "plz-lock-copy-" + std::to_string(getpid());
  UniqueFd copy;  // as a child has between its start and its exec
  {
    auto first = LockFile::try_lock(path);
    ASSERT_TRUE(first && *first);
    copy.reset(dup((*first)->fd()));
    LockFile moved = std::move(**first);
    auto second = LockFile::try_lock(path);
    ASSERT_TRUE(second);
    EXPECT_FALSE(*second);
  }
  auto third = LockFile::try_lock(path);
  ASSERT_TRUE(third);
  EXPECT_TRUE(*third);
  unlink(path.c_str());
}

}  // namespace
}  // namespace plz
