// What survives the end of an agent, and the absence of its controller.
#include "worker/agent_fixture_test.h"

#include "worker/attempt_directory.h"

namespace plz {
namespace {

using namespace testing_worker;
using std::chrono::milliseconds;

TEST_F(AgentTest, ReportsAgainUntilItIsHeard) {
  controller_.fail_next("finish", ErrorCode::unavailable, 3);
  run(assignment(1));
  EXPECT_EQ(controller_.count("finish"), 4u);
  EXPECT_EQ(controller_.finishes(attempt_id(1)), 1u);
  EXPECT_TRUE(is_removed(1));
}

TEST_F(AgentTest, AJobOutlivesAnAbsenceOfTheController) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.ends_by_itself = false;
    return job;
  };
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  controller_.set_away(true);
  runtime_.write_log(paths(1), "while away\n");
  write_text(paths(1).measures() + "/m", "1");
  write_text(paths(1).output() + "/o", "out");
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_TRUE(path_exists(paths(1).directory));
  controller_.set_away(false);
  FinishReport report = controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(controller_.log(attempt_id(1)), "while away\n");
  EXPECT_EQ(controller_.measures(attempt_id(1)).size(), 1u);
  EXPECT_TRUE(report.output_tree);
}

TEST_F(AgentTest, ALaterAgentGoesOnWhereAnEarlierOneWas) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.log = "first ";
    job.ends_by_itself = false;
    return job;
  };
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return controller_.log(attempt_id(1)) == "first "; }));
  write_text(paths(1).measures() + "/a", "1");
  ASSERT_TRUE(eventually([&] { return controller_.measures(attempt_id(1)).size() == 1; }));
  stop();
  runtime_.write_log(paths(1), "second ");
  write_text(paths(1).measures() + "/b", "2");
  start();
  ASSERT_TRUE(eventually([&] { return controller_.registrations().size() == 2; }));
  EXPECT_EQ(controller_.registrations()[1].attempts, std::vector{attempt_id(1)});
  EXPECT_EQ(controller_.registrations()[1].instance_id, InstanceId::parse("019aab9e-3c6f-7d52-9d0f-000000000005"));
  runtime_.write_log(paths(1), "third");
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  FinishReport report = controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(controller_.log(attempt_id(1)), "first second third");
  EXPECT_EQ(report.log_bytes, 18u);
  auto measures = controller_.measures(attempt_id(1));
  ASSERT_EQ(measures.size(), 2u);
  EXPECT_EQ(measures[1].path, "a");
  EXPECT_EQ(measures[2].path, "b");
  EXPECT_EQ(runtime_.started().size(), 1u);
  EXPECT_TRUE(is_removed(1));
}

TEST_F(AgentTest, AJobThatEndedWhileNoAgentWasThereIsReported) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.ends_by_itself = false;
    return job;
  };
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  stop();
  write_text(paths(1).output() + "/o", "out");
  runtime_.finish(paths(1), {OutcomeKind::exited, 7});
  start();
  FinishReport report = controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(report.outcome.exit_status, 7);
  EXPECT_TRUE(report.output_tree);
}

TEST_F(AgentTest, WhatWasNotStartedBeforeIsStartedOnceRegistered) {
  ASSERT_TRUE(make_directories(parent_path(paths(1).directory)));
  ASSERT_TRUE(AttemptDirectory(paths(1).directory).create(assignment(1), "fake"));
  controller_.set_away(true);
  start();
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_TRUE(runtime_.started().empty());
  controller_.set_away(false);
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).outcome.kind, OutcomeKind::succeeded);
}

TEST_F(AgentTest, WhatIsToBeForgottenIsNeitherStartedNorReported) {
  ASSERT_TRUE(make_directories(parent_path(paths(1).directory)));
  ASSERT_TRUE(AttemptDirectory(paths(1).directory).create(assignment(1), "fake"));
  controller_.forget(attempt_id(1));
  start();
  EXPECT_TRUE(is_removed(1));
  EXPECT_TRUE(runtime_.started().empty());
  EXPECT_EQ(controller_.count("finish"), 0u);
}

TEST_F(AgentTest, AForgottenJobIsKilled) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.ends_by_itself = false;
    return job;
  };
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  controller_.forget(attempt_id(1));
  controller_.connection_breaks();
  EXPECT_TRUE(is_removed(1));
  EXPECT_EQ(runtime_.stop_asked(paths(1)).value_or(milliseconds(-1)), milliseconds(0));
  EXPECT_EQ(controller_.count("finish"), 0u);
}

TEST_F(AgentTest, AHalfWrittenAssignmentIsThrownAway) {
  write_text(paths(1).directory + "/assignment", "fake\n{\"attempt");
  start();
  EXPECT_TRUE(is_removed(1));
  ASSERT_TRUE(eventually([&] { return controller_.registrations().size() == 1; }));
  EXPECT_TRUE(controller_.registrations()[0].attempts.empty());
}

TEST_F(AgentTest, RegistersAgainAfterAConnectionBroke) {
  start();
  ASSERT_TRUE(eventually([&] { return controller_.count("poll") == 1; }));
  controller_.connection_breaks();
  EXPECT_TRUE(eventually([&] { return controller_.registrations().size() == 2; }));
}

TEST_F(AgentTest, TheSameAssignmentTwiceIsOneJob) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.ends_by_itself = false;
    return job;
  };
  controller_.give(assignment(1));
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() >= 1; }));
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(runtime_.started().size(), 1u);
}

TEST_F(AgentTest, AStopOutlivesTheAgentThatWasTold) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.ends_by_itself = false;
    job.ignores_stop = true;
    return job;
  };
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  controller_.order_stop(attempt_id(1), 100'000);
  ASSERT_TRUE(eventually([&] { return runtime_.stop_asked(paths(1)).has_value(); }));
  stop();
  runtime_.finish(paths(1), {OutcomeKind::signalled, 143, 15});
  start();
  FinishReport report = controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::stopped);
  EXPECT_EQ(report.outcome.signal, 15);
}

}  // namespace
}  // namespace plz
