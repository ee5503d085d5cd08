// What an agent does with assignments and orders.
#include "worker/agent_fixture_test.h"

#include <sys/resource.h>
#include <sys/stat.h>

namespace plz {
namespace {

using namespace testing_worker;
using std::chrono::milliseconds;

TEST_F(AgentTest, RunsAJobAndReportsAllOfIt) {
  script_ = [](const LaunchSpec& spec) {
    FakeJob job;
    job.log = "hello\n";
    job.outcome = {OutcomeKind::exited, 3};
    job.effect = [](const LaunchSpec& spec) {
      write_text(spec.paths.output() + "/models/net.pt", "weights");
      write_text(spec.paths.measures() + "/summary", "{\"accuracy\": 0.91}\n");
    };
    (void)spec;
    return job;
  };
  auto given = assignment(1);
  given.spec.input = Input{controller_.put_tree({{"data", "42"}}), "file:///data", 2};
  FinishReport report = run(given);
  EXPECT_EQ(report.outcome.kind, OutcomeKind::exited);
  EXPECT_EQ(report.outcome.exit_status, 3);
  EXPECT_TRUE(report.started && report.ended);
  EXPECT_EQ(controller_.log(attempt_id(1)), "hello\n");
  EXPECT_EQ(report.log_bytes, 6u);
  EXPECT_EQ(report.output_bytes, 7u);
  ASSERT_TRUE(report.output_tree);
  EXPECT_EQ(stored_file(*report.output_tree, "models/net.pt"), "weights");
  auto measures = controller_.measures(attempt_id(1));
  ASSERT_EQ(measures.size(), 1u);
  EXPECT_EQ(measures[1].path, "summary");
  EXPECT_EQ(measures[1].value.text, "{\"accuracy\": 0.91}");
  EXPECT_TRUE(is_removed(1));
  EXPECT_EQ(runtime_.destroyed(), std::vector{paths(1).directory});

  LaunchSpec spec = runtime_.started().at(0);
  EXPECT_TRUE(path_exists(spec.code_tree + "/train.py"));
  EXPECT_EQ(spec.mounts.at(3).job_path, runtime_.job_path(spec.paths, "input"));
  struct stat status {};
  ASSERT_EQ(stat((spec.mounts.at(3).host_path + "/data").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0222, 0u);
  EXPECT_EQ(spec.hidden_paths, std::vector{settings_.directory});
}

TEST_F(AgentTest, AJobWithNothingToSayCostsOneRequest) {
  const FakeClock still;  // it takes no time, however long that takes
  start(still);
  FinishReport report = run(assignment(1));
  stop();
  EXPECT_EQ(report.outcome.kind, OutcomeKind::succeeded);
  EXPECT_FALSE(report.output_tree);
  for (auto call : {"started", "log_size", "append_log", "measures", "command_ended", "missing"})
    EXPECT_EQ(controller_.count(call), 0u) << call;
  EXPECT_EQ(controller_.count("finish"), 1u);
}

TEST_F(AgentTest, TellsThatALongerJobHasStartedAndWhatItSaysMeanwhile) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.log = "a\n";
    job.ends_by_itself = false;
    return job;
  };
  controller_.give(assignment(1));
  start();
  EXPECT_TRUE(eventually([&] { return controller_.count("started") == 1; }));
  EXPECT_TRUE(eventually([&] { return controller_.log(attempt_id(1)) == "a\n"; }));
  write_text(paths(1).measures() + "/epoch/1", "1");
  EXPECT_TRUE(eventually([&] { return controller_.measures(attempt_id(1)).size() == 1; }));
  runtime_.write_log(paths(1), "b\n");
  EXPECT_TRUE(eventually([&] { return controller_.log(attempt_id(1)) == "a\nb\n"; }));
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).log_bytes, 4u);
}

TEST_F(AgentTest, DescribesItsRuntimesInFullOnceItIsIdle) {
  settings_.poll = std::chrono::seconds(0);
  start();
  ASSERT_TRUE(eventually([&] { return controller_.registrations().size() == 2; }));
  auto registrations = controller_.registrations();
  EXPECT_EQ(registrations[0].runtimes.at(0).detail, "");
  EXPECT_EQ(registrations[1].runtimes.at(0).detail, "in full");
  EXPECT_TRUE(registrations[1].instance_id);  // the same worker
  run(assignment(1));
  EXPECT_EQ(controller_.registrations().size(), 2u);
}

TEST_F(AgentTest, RunsSeveralAtOnce) {
  jobs_go_on();
  for (int i = 0; i < 5; ++i) controller_.give(assignment(i));
  start();
  EXPECT_TRUE(eventually([&] { return runtime_.started().size() == 5; }));
  for (int i = 0; i < 5; ++i) runtime_.finish(paths(i), {OutcomeKind::succeeded, 0});
  for (int i = 0; i < 5; ++i) controller_.wait_for_finish(attempt_id(i));
  EXPECT_EQ(controller_.count("fetch"), 3u);  // the tree's parts, once for all
}

TEST_F(AgentTest, AStoppedJobIsStoppedWhateverItsStatus) {
  jobs_go_on();
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  controller_.order_stop(attempt_id(1), 1'500'000);
  FinishReport report = controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::stopped);
  // Of the grace, what is left when the runtime is asked.
  EXPECT_LE(runtime_.stop_asked(paths(1)), milliseconds(1'500'000));
  EXPECT_GT(runtime_.stop_asked(paths(1)), milliseconds(0));
}

TEST_F(AgentTest, CollectsWhenItIsTold) {
  jobs_go_on();
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  controller_.order_collection({"r1", false, true, true, {}});
  ASSERT_TRUE(eventually([&] { return controller_.collections().size() == 1; }));
  EXPECT_EQ(controller_.collections()["r1"].trees, 0u);  // the job's code is held
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  controller_.wait_for_finish(attempt_id(1));
  auto trees = [&, n = 2]() mutable {
    const std::string request = "r" + std::to_string(n++);
    controller_.order_collection({request, true, true, true, {}});
    if (!eventually([&] { return controller_.collections().contains(request); })) return uint64_t{99};
    return controller_.collections()[request].trees;
  };
  // Not at every look: the agent holds them all while it writes them through.
  bool let_go = false;
  EXPECT_TRUE(eventually([&] { return let_go = let_go || trees() == 1; }));
}

TEST_F(AgentTest, AMissingTreeIsSaid) {
  auto given = assignment(1);
  given.spec.snapshot.code_tree = *Digest::parse(std::string(64, 'a'));
  FinishReport report = run(given);
  EXPECT_EQ(report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_NE(report.outcome.reason.find(std::string(64, 'a')), std::string::npos);
  EXPECT_TRUE(is_removed(1));
}

TEST_F(AgentTest, ARuntimesRefusalIsSaidInItsWords) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.start_error = Error{ErrorCode::unavailable, "no user namespaces", "sysctl user.max_user_namespaces"};
    return job;
  };
  settings_.patience = milliseconds(5);
  FinishReport report = run(assignment(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(report.outcome.reason, "no user namespaces: sysctl user.max_user_namespaces");
  EXPECT_EQ(report.log_bytes, 0u);
}

TEST_F(AgentTest, ARuntimeThatCannotStartItJustNowIsAskedAgain) {
  int tries = 0;
  script_ = [&](const LaunchSpec&) {
    FakeJob job;
    if (++tries < 3) job.start_error = Error{ErrorCode::unavailable, "no engine answers", {}};
    return job;
  };
  EXPECT_EQ(run(assignment(1)).outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(tries, 3);
  // Said once: nothing new came.
  const std::vector<std::string> told{"its machine: no engine answers; it is tried again for up to 10 minutes"};
  EXPECT_EQ(controller_.waits(attempt_id(1)), told);
}

TEST_F(AgentTest, AStopEndsTheWaitForWhatTheMachineLacks) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.start_error = Error{ErrorCode::unavailable, "no room", {}};
    return job;
  };
  settings_.backoff = {std::chrono::hours(1), std::chrono::hours(1)};
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return !controller_.waits(attempt_id(1)).empty(); }));
  controller_.order_stop(attempt_id(1));
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).outcome.kind, OutcomeKind::stopped);
}

TEST_F(AgentTest, AnAttemptWaitsForItsDirectory) {
  // One that ends first: an agent that is starting, or tidying up, cannot do without descriptors.
  run(assignment(2));
  ASSERT_TRUE(is_removed(2));
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  controller_.give(assignment(1));
  const bool has_waited = eventually([&] { return !controller_.waits(attempt_id(1)).empty(); });
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(has_waited);
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).outcome.kind, OutcomeKind::succeeded);
}

TEST_F(AgentTest, WhyAJobIsNotBoxedIsSaidOfEachAttempt) {
  FakeRuntime sandbox(clock_, {}, "sandbox"), process(clock_, {}, "process");
  sandbox.be_absent("no reason yet");
  agent_ = std::make_unique<Agent>(settings_, controller_, std::vector<Runtime*>{&sandbox, &process}, clock_);
  thread_ = std::jthread([this](std::stop_token stop) { result_ = agent_->run(stop); });
  for (int number : {1, 2}) {
    sandbox.be_absent("reason " + std::to_string(number));
    EXPECT_EQ(run(assignment(number)).outcome.reason, "the job was not boxed: reason " + std::to_string(number));
  }
  auto asked = assignment(3);
  asked.spec.runtime = "process";
  EXPECT_EQ(run(asked).outcome.reason, "");
  asked = assignment(4);
  asked.spec.runtime = "sandbox";
  EXPECT_EQ(run(asked).outcome.kind, OutcomeKind::could_not_start);
  stop();
}

TEST_F(AgentTest, WhatWasMadeForAJobThatDidNotStartIsRemoved) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.start_error = Error{ErrorCode::invalid, "the runtime refuses", {}};
    return job;
  };
  run(assignment(1));
  EXPECT_TRUE(is_removed(1));
  EXPECT_EQ(runtime_.destroyed(), std::vector{paths(1).directory});
}

TEST_F(AgentTest, AStopIsRepeatedUntilTheRuntimeHasIt) {
  jobs_go_on();
  runtime_.fail_stops(5);
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  controller_.order_stop(attempt_id(1), 1'000'000);
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).outcome.kind, OutcomeKind::stopped);
  EXPECT_GT(runtime_.stop_asked(paths(1)).value_or(milliseconds(0)), milliseconds(0));
  EXPECT_LE(runtime_.stop_asked(paths(1)).value_or(milliseconds(0)), milliseconds(1'000'000));
}

TEST_F(AgentTest, LeftoversOfItsContainersAreRemovedWhileNothingRuns) {
  struct CountingKeeper final : ContainerKeeper {
    Result<std::vector<KeptContainer>> containers() override { return std::vector<KeptContainer>{}; }
    Result<void> remove_container(const std::string&) override { return {}; }
    void remove_abandoned() override { ++removals; }
    std::atomic<int> removals = 0;
  } keeper;
  settings_.poll = std::chrono::seconds(1);
  containers_ = &keeper;
  start();
  EXPECT_TRUE(eventually([&] { return keeper.removals >= 2; }));
  stop();
}

TEST_F(AgentTest, AnImageNeedsARuntimeForImages) {
  auto given = assignment(1);
  given.spec.snapshot.environment.image = "debian:12";
  FinishReport report = run(given);
  EXPECT_EQ(report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(report.outcome.reason, "no runtime of this worker can run the job: it has none for container images");
}

TEST_F(AgentTest, TheAssignmentIsForTheOwnersEyes) {
  script_ = [](const LaunchSpec& spec) {
    struct stat status {};
    EXPECT_EQ(stat((spec.paths.directory + "/assignment").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_EQ(stat(spec.paths.directory.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0077, 0u);
    return FakeJob{};
  };
  run(assignment(1));
}

TEST_F(AgentTest, EndsWhenTheInstanceIsGivenBackAndNothingRuns) {
  jobs_go_on();
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  controller_.shut_down();
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_FALSE(has_ended());
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  EXPECT_TRUE(eventually([&] { return has_ended(); }));
  EXPECT_TRUE(result_);
  EXPECT_TRUE(controller_.finished(attempt_id(1)));
  // Whoever comes next is another instance.
  EXPECT_FALSE(path_exists(settings_.directory + "/instance"));
}

TEST_F(AgentTest, GivesUpWithoutAControllerAndWithoutJobs) {
  settings_.give_up_after = milliseconds(20);
  controller_.set_away(true);
  start();
  EXPECT_TRUE(eventually([&] { return has_ended(); }));
}

TEST_F(AgentTest, AnUnusableDirectoryIsAnError) {
  write_text(directory_.path() + "/file", "");
  settings_.directory = directory_.path() + "/file/worker";
  start();
  EXPECT_TRUE(eventually([&] { return has_ended(); }));
  EXPECT_FALSE(result_);
}

}  // namespace
}  // namespace plz
