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

}  // namespace
}  // namespace plz
