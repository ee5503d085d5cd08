#include "runtime/fake/fake_runtime.h"

#include <unistd.h>

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "os/file.h"

namespace plz {
namespace {

class FakeRuntimeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "plz-fake-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    spec_.paths.directory = pattern;
    spec_.command = {"true"};
  }
  void TearDown() override { EXPECT_TRUE(remove_tree(spec_.paths.directory)); }

  FakeClock clock_;
  LaunchSpec spec_;
};

TEST_F(FakeRuntimeTest, FollowsItsScript) {
  FakeRuntime runtime(clock_, [](const LaunchSpec&) {
    return FakeJob{.log = "hello\n", .outcome = {OutcomeKind::exited, 3}};
  });
  EXPECT_EQ(*runtime.recover(spec_.paths), AttemptPhase::not_started);
  ASSERT_TRUE(runtime.start(spec_));
  EXPECT_EQ(runtime.wait(spec_.paths, {})->outcome.exit_status, 3);
  EXPECT_EQ(*runtime.recover(spec_.paths), AttemptPhase::ended);
  EXPECT_EQ(*read_file(spec_.paths.log()), "hello\n");
  EXPECT_EQ(runtime.started().size(), 1u);
}

TEST_F(FakeRuntimeTest, RunsUntilItIsStopped) {
  FakeRuntime runtime(clock_, [](const LaunchSpec&) { return FakeJob{.ends_by_itself = false}; });
  ASSERT_TRUE(runtime.start(spec_));
  EXPECT_EQ(*runtime.recover(spec_.paths), AttemptPhase::running);
  std::jthread stopper([&] { EXPECT_TRUE(runtime.stop(spec_.paths, std::chrono::seconds(1))); });
  EXPECT_EQ(runtime.wait(spec_.paths, {})->outcome.signal, SIGTERM);
}

TEST_F(FakeRuntimeTest, WaitIsCancelled) {
  FakeRuntime runtime(clock_, [](const LaunchSpec&) { return FakeJob{.ends_by_itself = false}; });
  ASSERT_TRUE(runtime.start(spec_));
  std::stop_source stop;
  std::jthread canceller([&] { stop.request_stop(); });
  EXPECT_EQ(runtime.wait(spec_.paths, stop.get_token()).error().code, ErrorCode::cancelled);
}

TEST_F(FakeRuntimeTest, DoesNotStartWhatItsScriptForbids) {
  FakeRuntime runtime(clock_, [](const LaunchSpec&) {
    return FakeJob{.start_error = Error{ErrorCode::unavailable, "no room", {}}};
  });
  EXPECT_EQ(runtime.start(spec_).error().code, ErrorCode::unavailable);
  EXPECT_EQ(runtime.wait(spec_.paths, {}).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace plz
