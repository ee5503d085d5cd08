// What survives the end of an agent, and the absence of its controller.
#include "os/boot_time.h"
#include "worker/agent_fixture_test.h"

#include <sys/stat.h>

#include <cstring>

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
  jobs_go_on();
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

TEST_F(AgentTest, AJobIsWaitedForThoughItsAssignmentIsDamaged) {
  for (const char* damage : {"", "fake", "fake\n{\"attempt"}) {
    const int number = 1 + static_cast<int>(strlen(damage));
    jobs_go_on();
    controller_.give(assignment(number));
    start();
    ASSERT_TRUE(eventually([&] { return !runtime_.started().empty() && path_exists(paths(number).output()); }));
    write_text(paths(number).output() + "/o", "out");
    write_text(paths(number).measures() + "/m", "1");
    stop();
    write_text(paths(number).directory + "/assignment", damage);
    start();
    EXPECT_TRUE(path_exists(paths(number).directory));
    runtime_.finish(paths(number), {OutcomeKind::succeeded, 0});
    FinishReport report = controller_.wait_for_finish(attempt_id(number));
    EXPECT_EQ(report.outcome.kind, OutcomeKind::succeeded);
    EXPECT_TRUE(report.output_tree);
    EXPECT_EQ(controller_.registrations().back().attempts, std::vector{attempt_id(number)});
    ASSERT_TRUE(eventually([&] { return is_removed(number); }));
    stop();
  }
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

// The one that an earlier agent kept may have been killed since.
TEST_F(AgentTest, SpeaksForTheInstanceThatItIsGivenWhateverAnEarlierOneKept) {
  jobs_go_on();
  const auto given = InstanceId::parse("019aab9e-3c6f-7d52-9d0f-000000000077");
  write_text(settings_.directory + "/instance", "019aab9e-3c6f-7d52-9d0f-000000000066\n");
  settings_.instance_id = given;
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  EXPECT_EQ(read_file(settings_.directory + "/instance").value_or(""), given->to_string() + "\n");
  stop();
  const auto next = InstanceId::parse("019aab9e-3c6f-7d52-9d0f-000000000088");
  settings_.instance_id = next;
  start();
  ASSERT_TRUE(eventually([&] { return controller_.registrations().size() == 2; }));
  EXPECT_EQ(controller_.registrations()[0].instance_id, given);
  EXPECT_EQ(controller_.registrations()[1].instance_id, next);
  EXPECT_EQ(controller_.registrations()[1].attempts, std::vector{attempt_id(1)});
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  controller_.wait_for_finish(attempt_id(1));
}

TEST_F(AgentTest, ALaterAgentTellsThatAJobHasStarted) {
  jobs_go_on();
  controller_.fail_next("started", ErrorCode::unavailable, 1'000'000);
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return controller_.count("started") > 0; }));
  stop();
  controller_.fail_next("started", ErrorCode::unavailable, 0);
  start();
  EXPECT_TRUE(eventually([&] { return controller_.started(attempt_id(1)).has_value(); }));
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  controller_.wait_for_finish(attempt_id(1));
}

TEST_F(AgentTest, AJobThatEndedWhileNoAgentWasThereIsReported) {
  jobs_go_on();
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

// The engine may be starting its container, which has them: an agent died before it heard of that.
TEST_F(AgentTest, DirectoriesOfAnInterruptedStartAreNotMadeAnew) {
  ASSERT_TRUE(make_directories(parent_path(paths(1).directory)));
  ASSERT_TRUE(AttemptDirectory(paths(1).directory).create(assignment(1), "fake"));
  ASSERT_TRUE(make_directories(paths(1).measures()));
  write_text(paths(1).output() + "/early", "of a container that has begun");
  for (const std::string& directory : {paths(1).output(), paths(1).measures()})
    ASSERT_EQ(chmod(directory.c_str(), 0777), 0);
  struct stat output {};
  ASSERT_EQ(stat(paths(1).output().c_str(), &output), 0);
  script_ = [inode = output.st_ino](const LaunchSpec& spec) {
    struct stat now {};
    EXPECT_EQ(stat(spec.paths.output().c_str(), &now), 0);
    EXPECT_EQ(now.st_ino, inode);
    EXPECT_EQ(now.st_mode & 07777, 0777u);
    return FakeJob{};
  };
  start();
  FinishReport report = controller_.wait_for_finish(attempt_id(1));
  ASSERT_TRUE(report.output_tree);
  EXPECT_EQ(stored_file(*report.output_tree, "early"), "of a container that has begun");
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
  jobs_go_on();
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
  jobs_go_on();
  controller_.give(assignment(1));
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() >= 1; }));
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(runtime_.started().size(), 1u);
}

TEST_F(AgentTest, AStopOutlivesTheAgentThatWasTold) {
  jobs_go_on_though_stopped();
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

TEST_F(AgentTest, ALaterAgentLeavesAStoppedJobItsTime) {
  jobs_go_on_though_stopped();
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  constexpr milliseconds kGrace{10'000'000};
  controller_.order_stop(attempt_id(1), kGrace.count());
  ASSERT_TRUE(eventually([&] { return runtime_.stop_asked(paths(1)).has_value(); }));
  stop();
  runtime_.forget_stops();
  // Else none of its time is over.
  ASSERT_TRUE(eventually([at = boot_time()] { return boot_time() > at + milliseconds(2); }));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.stop_asked(paths(1)).has_value(); }));
  EXPECT_GT(*runtime_.stop_asked(paths(1)), milliseconds(0));
  EXPECT_LT(*runtime_.stop_asked(paths(1)), kGrace);
  // The controller may repeat its order: that gives no more time.
  runtime_.forget_stops();
  controller_.order_stop(attempt_id(1), kGrace.count());
  ASSERT_TRUE(eventually([&] { return runtime_.stop_asked(paths(1)).has_value(); }));
  EXPECT_LT(*runtime_.stop_asked(paths(1)), kGrace);
  // Less time counts from now on.
  runtime_.forget_stops();
  controller_.order_stop(attempt_id(1), 0);
  ASSERT_TRUE(eventually([&] { return runtime_.stop_asked(paths(1)).has_value(); }));
  EXPECT_EQ(*runtime_.stop_asked(paths(1)), milliseconds(0));
  runtime_.finish(paths(1), {OutcomeKind::signalled, 137, 9});
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).outcome.kind, OutcomeKind::stopped);
}

// The wall clock was set back by years meanwhile, and the times of its end are of then.
TEST_F(AgentTest, AStoppedJobIsStoppedWhereverTheClockJumped) {
  FakeClock jobs_clock;
  FakeRuntime behind(jobs_clock, [](const LaunchSpec&) { return FakeJob{.ends_by_itself = false}; });
  agent_ = std::make_unique<Agent>(settings_, controller_, std::vector<Runtime*>{&behind}, clock_);
  thread_ = std::jthread([this](std::stop_token stop) { result_ = agent_->run(stop); });
  controller_.give(assignment(1));
  EXPECT_TRUE(eventually([&] { return behind.started().size() == 1; }));
  controller_.order_stop(attempt_id(1), 100'000);
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).outcome.kind, OutcomeKind::stopped);
  stop();
}

}  // namespace
}  // namespace plz
