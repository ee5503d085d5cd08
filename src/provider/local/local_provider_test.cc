#include "provider/local/local_provider.h"

#include <unistd.h>

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "os/file.h"
#include "os/lock_file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

class LocalProviderTest : public testing::Test {
 protected:
  LocalProvider provider(const std::string& program) {
    return LocalProvider(
        {program, directory_, "unix:/none", directory_ + "/worker.log", directory_, Capacity{2, 1 << 30, {}}});
  }
  TemporaryDirectory temporary_;
  const std::string directory_ = temporary_.path();
  InstanceId id_ = InstanceId::make(SystemClock());
};

TEST_F(LocalProviderTest, SaysWhatIsMissing) {
  auto created = provider("/nonexistent/plz-worker").create(id_, {});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::unavailable);
  EXPECT_NE(created.error().message.find("/nonexistent/plz-worker"), std::string::npos);
}

TEST_F(LocalProviderTest, TellsALivingWorkerByItsLock) {
  auto local = provider("/nonexistent");
  EXPECT_EQ(*local.inspect(id_), InstanceHealth::gone);
  {
    auto lock = LockFile::lock(worker_lock_path(directory_));
    ASSERT_TRUE(lock);
    EXPECT_EQ(*local.inspect(id_), InstanceHealth::alive);
  }
  EXPECT_EQ(*local.inspect(id_), InstanceHealth::gone);
}

TEST_F(LocalProviderTest, NoticesThatTheProcessEnded) {
  auto local = provider("/bin/true");
  ASSERT_TRUE(local.create(id_, {}));
  for (int i = 0; i < 9000 && *local.inspect(id_) == InstanceHealth::alive; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(*local.inspect(id_), InstanceHealth::gone);
}

}  // namespace
}  // namespace plz
