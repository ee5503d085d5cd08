#include "os/lock_file.h"

#include <unistd.h>

#include <thread>

#include <gtest/gtest.h>

namespace plz {
namespace {

bool can_be_locked(const std::string& path) {
  auto lock = LockFile::try_lock(path);
  EXPECT_TRUE(lock);
  return lock && *lock;
}

TEST(LockFile, HasOneHolder) {
  std::string path = testing::TempDir() + "plz-lock-" + std::to_string(getpid());
  {
    auto first = LockFile::try_lock(path);
    ASSERT_TRUE(first && *first);
    EXPECT_FALSE(can_be_locked(path));
  }
  EXPECT_TRUE(can_be_locked(path));
  unlink(path.c_str());
}

TEST(LockFile, IsWaitedForForAMoment) {
  std::string path = testing::TempDir() + "plz-lock-moment-" + std::to_string(getpid());
  auto held = LockFile::try_lock(path);
  ASSERT_TRUE(held && *held);
  auto refused = LockFile::try_lock(path, std::chrono::milliseconds(30));
  ASSERT_TRUE(refused);
  EXPECT_FALSE(*refused);
  std::jthread ender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    held->reset();
  });
  auto taken = LockFile::try_lock(path, std::chrono::seconds(90));
  ASSERT_TRUE(taken);
  EXPECT_TRUE(*taken);
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
    EXPECT_FALSE(can_be_locked(path));
  }
  EXPECT_TRUE(can_be_locked(path));
  unlink(path.c_str());
}

}  // namespace
}  // namespace plz
