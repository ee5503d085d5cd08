// Code and input on their way to a job, and what becomes of it when somebody changes them there.
#include "model/execution_state.h"
#include "worker/agent_fixture_test.h"

namespace plz {
namespace {

using namespace testing_worker;

class AgentTreesTest : public AgentTest {
 protected:
  AgentTreesTest() {
    script_ = [](const LaunchSpec& spec) {
      FakeJob job;
      job.log = read_file(spec.code_tree + "/train.py").value_or("absent");
      return job;
    };
  }
  std::string trees() const { return settings_.directory + "/cache/trees"; }
  std::string copy() const { return trees() + "/" + code_.hex() + ".code/tree"; }
  // So many that they are looked at beside the start.
  void have_many_files() {
    std::map<std::string, std::string> files = {{"train.py", "print(1)"}};
    for (int i = 0; i < 2'000; ++i) files["data" + std::to_string(i)] = "x";
    code_ = controller_.put_tree(files);
  }
  bool holds_nothing() const {
    const auto names = *list_directory(trees());
    for (const auto& name : names)
      if (!name.starts_with("removing-")) return false;
    return true;
  }
};

TEST_F(AgentTreesTest, AStopDoesNotWaitForFiles) {
  controller_.hold_fetches();
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return controller_.count("fetch") > 0; }));
  controller_.order_stop(attempt_id(1));
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).outcome.kind, OutcomeKind::stopped);
  EXPECT_TRUE(runtime_.started().empty());
  EXPECT_TRUE(is_removed(1));
  EXPECT_TRUE(eventually([&] { return list_directory(trees())->empty(); }));
}

// Of which each look is a second later than the one before.
class HastyClock final : public Clock {
 public:
  Timestamp now() const override { return clock_.now(); }
  SteadyTime steady() const override { return clock_.steady() + std::chrono::seconds(++looks_); }

 private:
  SystemClock clock_;
  mutable std::atomic<int> looks_{0};
};

TEST_F(AgentTreesTest, FilesThatAControllerDoesNotGiveAreNotWaitedForForEver) {
  controller_.fail_next("fetch", ErrorCode::unavailable, 1'000'000);
  controller_.give(assignment(1));
  static HastyClock clock;
  start(clock);
  FinishReport report = controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_NE(report.outcome.reason.find("fetch fails"), std::string::npos) << report.outcome.reason;
  EXPECT_EQ(controller_.waits(attempt_id(1)).at(0), "its files: fetch fails");
  EXPECT_TRUE(is_removed(1));
  stop();
}

TEST_F(AgentTreesTest, FilesAreWaitedForWhileTheControllerIsAway) {
  controller_.hold_fetches();
  controller_.give(assignment(1));
  static HastyClock clock;
  start(clock);
  ASSERT_TRUE(eventually([&] { return controller_.count("fetch") > 0; }));
  controller_.set_away(true);
  controller_.release_fetches();
  ASSERT_TRUE(eventually([&] { return controller_.count("fetch") > 100; }));
  controller_.set_away(false);
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).outcome.kind, OutcomeKind::succeeded);
  stop();
}

TEST_F(AgentTreesTest, WhatItWaitedForIsTakenBack) {
  controller_.fail_next("fetch", ErrorCode::unavailable, 2);
  FinishReport report = run(assignment(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(controller_.waits(attempt_id(1)),
            (std::vector<std::string>{"its files: fetch fails", "its files: fetch fails", ""}));
}

TEST_F(AgentTreesTest, AStopDoesNotWaitForTheNextTry) {
  settings_.backoff = {std::chrono::hours(1), std::chrono::hours(1)};
  controller_.fail_next("fetch", ErrorCode::unavailable, 1'000'000);
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return !controller_.waits(attempt_id(1)).empty(); }));
  controller_.order_stop(attempt_id(1));
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).outcome.kind, OutcomeKind::stopped);
}

TEST_F(AgentTreesTest, TheEndOfTheWorkerDoesNotWaitForFiles) {
  controller_.hold_fetches();
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return controller_.count("fetch") > 0; }));
  stop();
  EXPECT_TRUE(has_ended());
  EXPECT_TRUE(holds_nothing());
}

TEST_F(AgentTreesTest, ATreeBeyondItsLimitsIsRefused) {
  settings_.tree_limits.entries = 1'000;
  have_many_files();
  FinishReport report = run(assignment(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_NE(report.outcome.reason.find("2001 files and directories"), std::string::npos) << report.outcome.reason;
  EXPECT_TRUE(list_directory(trees())->empty());
}

TEST_F(AgentTreesTest, AChangedFileIsMadeAgainBeforeTheJob) {
  EXPECT_EQ(run(assignment(1)).outcome.reason, "");
  ASSERT_TRUE(is_removed(1));
  write_text(copy() + "/train.py", "print(2)");
  FinishReport report = run(assignment(2));
  EXPECT_EQ(controller_.log(attempt_id(2)), "print(1)");
  EXPECT_FALSE(ran_on_changed_files(report.outcome));
  EXPECT_NE(report.outcome.reason.find(attempt_id(1).to_string()), std::string::npos) << report.outcome.reason;
  ASSERT_TRUE(is_removed(2));
  EXPECT_EQ(run(assignment(3)).outcome.reason, "");
}

TEST_F(AgentTreesTest, ADirectoryThatIsGoneIsMadeAgain) {
  run(assignment(1));
  ASSERT_TRUE(is_removed(1));
  ASSERT_TRUE(remove_tree(trees() + "/" + code_.hex() + ".code"));
  EXPECT_EQ(run(assignment(2)).outcome.kind, OutcomeKind::succeeded);
  ASSERT_TRUE(is_removed(2));
  ASSERT_TRUE(remove_tree(copy()));
  EXPECT_EQ(run(assignment(3)).outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(controller_.log(attempt_id(3)), "print(1)");
}

TEST_F(AgentTreesTest, AJobThatBeganWithAChangedFileBeginsAgain) {
  have_many_files();
  run(assignment(1));
  ASSERT_TRUE(is_removed(1));
  write_text(copy() + "/train.py", "print(2)");
  FinishReport report = run(assignment(2));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::succeeded);
  EXPECT_FALSE(ran_on_changed_files(report.outcome));
  EXPECT_EQ(controller_.log(attempt_id(2)), "print(1)");
  EXPECT_EQ(report.log_bytes, 8u);
  EXPECT_TRUE(is_removed(2));
}

TEST_F(AgentTreesTest, AJobWhoseFilesWereChangedMeanwhileIsMarked) {
  jobs_go_on();
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  ASSERT_TRUE(eventually([&] { return controller_.started(attempt_id(1)).has_value(); }));
  write_text(copy() + "/train.py", "print(2)");
  controller_.give(assignment(2));
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 2; }));
  EXPECT_EQ(*read_file(runtime_.started()[1].code_tree + "/train.py"), "print(1)");
  // The first job still has what it began with.
  EXPECT_EQ(list_directory(trees())->size(), 2u);
  for (int number : {1, 2}) runtime_.finish(paths(number), {OutcomeKind::succeeded, 0});
  EXPECT_TRUE(ran_on_changed_files(controller_.wait_for_finish(attempt_id(1)).outcome));
  EXPECT_FALSE(ran_on_changed_files(controller_.wait_for_finish(attempt_id(2)).outcome));
  EXPECT_TRUE(is_removed(1));
  EXPECT_TRUE(eventually([&] { return list_directory(trees())->size() == 1; }));
}

TEST_F(AgentTreesTest, ALaterAgentHoldsWhatItsJobsUse) {
  jobs_go_on();
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  stop();
  settings_.cache_limit_bytes = 1;
  start();
  auto other = assignment(2);
  other.spec.snapshot.code_tree = controller_.put_tree({{"train.py", "print(3)"}});
  controller_.give(other);
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 2; }));
  // Another version, so that its cache is another.
  EXPECT_NE(runtime_.started()[0].home_cache, runtime_.started()[1].home_cache);
  runtime_.finish(paths(2), {OutcomeKind::succeeded, 0});
  ASSERT_TRUE(is_removed(2));
  EXPECT_TRUE(path_exists(copy()));
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  EXPECT_FALSE(ran_on_changed_files(controller_.wait_for_finish(attempt_id(1)).outcome));
}

}  // namespace
}  // namespace plz
