#include "provider/local/local_provider.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "os/file.h"
#include "os/lock_file.h"
#include "os/process.h"
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

TEST_F(LocalProviderTest, SaysOnceThatAWorkerEndedAtOnce) {
  auto local = provider("/bin/false");
  ASSERT_TRUE(local.create(id_, {}));
  for (int i = 0; i < 9000 && *local.inspect(id_) == InstanceHealth::alive; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  auto created = local.create(id_, {});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::unavailable);
  EXPECT_EQ(created.error().message,
            "the worker of this machine ended as soon as it was started, with an exit status of 1");
  EXPECT_NE(created.error().hint.find("worker.log"), std::string::npos);
  EXPECT_TRUE(local.create(id_, {}));
}

// A worker's words, and its lock: /bin/sh as what another controller started.
TEST_F(LocalProviderTest, AWorkerThatDialsElsewhereIsReplaced) {
  const std::string lock_path = worker_lock_path(directory_), ended = directory_ + "/ended";
  const std::string script = "exec 9<>" + lock_path + "; flock 9; echo $$ > " + lock_path + "; trap 'touch " + ended +
                             "; exit 0' TERM; touch " + directory_ + "/up; while :; do read -t 1 x; done";
  for (const char* controller : {"unix:/none", "unix:/another"}) {
    unlink((directory_ + "/up").c_str());
    SpawnOptions worker;
    worker.program = "/bin/bash";
    worker.arguments = {"bash", "-c", script, "plz-worker", "--controller", controller};
    auto end = make_pipe();
    ASSERT_TRUE(end);
    worker.stdin_fd = end->out.get();
    auto pid = spawn(worker);
    ASSERT_TRUE(pid);
    for (int i = 0; i < 9000 && !path_exists(directory_ + "/up"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const bool ours = controller == std::string("unix:/none");
    auto local = provider("/bin/true");
    EXPECT_EQ(*local.inspect(id_), ours ? InstanceHealth::alive : InstanceHealth::gone);
    if (!ours) {
      EXPECT_TRUE(local.create(id_, {}));
      EXPECT_TRUE(path_exists(ended));
    }
    kill(*pid, SIGKILL);
    waitpid(*pid, nullptr, 0);
  }
}

}  // namespace
}  // namespace plz
