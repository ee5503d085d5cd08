// What becomes of a job's output, log and measures.
#include "worker/agent_fixture_test.h"

#include <sys/stat.h>

namespace plz {
namespace {

using namespace testing_worker;

TEST_F(AgentTest, CapturesTheOutputOfARunningJob) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.ends_by_itself = false;
    job.effect = [](const LaunchSpec& spec) { write_text(spec.paths.output() + "/half", "so far"); };
    return job;
  };
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  controller_.order_capture(attempt_id(1), "r1");
  ASSERT_TRUE(eventually([&] { return controller_.captures().size() == 1; }));
  CaptureReport report = controller_.captures()["r1"];
  EXPECT_EQ(report.error, "");
  ASSERT_TRUE(report.output_tree);
  EXPECT_EQ(stored_file(*report.output_tree, "half"), "so far");
  EXPECT_FALSE(controller_.finished(attempt_id(1)));
  write_text(paths(1).output() + "/other_half", "and further");
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  controller_.wait_for_finish(attempt_id(1));
  // The end of the attempt ends the lease of its output, and no other.
  const LeaseId of_the_attempt(attempt_id(1).uuid());
  auto leases = controller_.leases();
  ASSERT_GE(leases.size(), 2u);
  EXPECT_NE(leases.front(), of_the_attempt);
  EXPECT_EQ(leases.back(), of_the_attempt);
}

TEST_F(AgentTest, IndicesHaveDirectoriesOfTheirOwn) {
  std::string configuration;
  script_ = [&](const LaunchSpec& spec) {
    configuration = *read_file(spec.paths.configuration());
    FakeJob job;
    job.effect = [](const LaunchSpec& spec) {
      write_text(spec.paths.output() + "/3/o", "three");
      write_text(spec.paths.measures() + "/3/summary", "30");
      write_text(spec.paths.measures() + "/4/summary", "40");
    };
    return job;
  };
  auto given = assignment(1);
  given.spec.indices = IndexRange{3, 5};
  FinishReport report = run(given);
  EXPECT_EQ(stored_file(*report.output_tree, "3/o"), "three");
  std::map<int64_t, std::string> summaries;
  for (const auto& [sequence, event] : controller_.measures(attempt_id(1))) {
    EXPECT_EQ(event.path, "summary");
    summaries[event.index.value_or(-1)] = event.value.text;
  }
  EXPECT_EQ(summaries, (std::map<int64_t, std::string>{{3, "30"}, {4, "40"}}));
  EXPECT_NE(configuration.find("\"index_to_output_directory\""), std::string::npos);
}

TEST_F(AgentTest, OutputIsStoredOnceTheStoreIsBack) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.effect = [](const LaunchSpec& spec) { write_text(spec.paths.output() + "/o", "out"); };
    return job;
  };
  controller_.fail_next("send_pack", ErrorCode::unavailable, 3);
  FinishReport report = run(assignment(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::succeeded);
  EXPECT_TRUE(report.output_tree);
}

TEST_F(AgentTest, OutputIsStoredHoweverLongTheControllerWasAway) {
  script_ = [this](const LaunchSpec&) {
    FakeJob job;
    job.effect = [this](const LaunchSpec& spec) {
      write_text(spec.paths.output() + "/o", "out");
      controller_.set_away(true);
    };
    return job;
  };
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return controller_.count("missing") >= 30; }));
  controller_.set_away(false);
  FinishReport report = controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::succeeded) << report.outcome.reason;
  ASSERT_TRUE(report.output_tree);
  EXPECT_EQ(stored_file(*report.output_tree, "o"), "out");
}

TEST_F(AgentTest, OutputThatAControllerAlwaysRefusesIsKept) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.outcome = {OutcomeKind::exited, 9};
    job.effect = [](const LaunchSpec& spec) { write_text(spec.paths.output() + "/o", "out"); };
    return job;
  };
  controller_.set_sink_error(Error{ErrorCode::unavailable, "the store's disk is full", {}});
  FinishReport report = run(assignment(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::output_not_stored);
  EXPECT_EQ(report.outcome.exit_status, 9);
  std::string kept = settings_.directory + "/kept_output/" + attempt_id(1).to_string();
  EXPECT_NE(report.outcome.reason.find("the store's disk is full"), std::string::npos);
  EXPECT_NE(report.outcome.reason.find(kept), std::string::npos);
  EXPECT_EQ(read_file(kept + "/o"), "out");
  EXPECT_TRUE(is_removed(1));
}

TEST_F(AgentTest, ARemovedOutputDirectoryIsAnEmptyOutput) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.effect = [](const LaunchSpec& spec) { EXPECT_TRUE(remove_tree(spec.paths.output())); };
    return job;
  };
  FinishReport report = run(assignment(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::succeeded);
  EXPECT_FALSE(report.output_tree);
  EXPECT_EQ(report.outcome.reason, "the job removed its output directory");
}

TEST_F(AgentTest, SpecialFilesInTheOutputAreLeftOutWithANote) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.effect = [](const LaunchSpec& spec) {
      write_text(spec.paths.output() + "/o", "out");
      ASSERT_EQ(mkfifo((spec.paths.output() + "/pipe").c_str(), 0600), 0);
    };
    return job;
  };
  FinishReport report = run(assignment(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(report.outcome.reason, "not all of the output was kept: pipe is a fifo and is left out");
  EXPECT_EQ(stored_file(*report.output_tree, "pipe"), "absent");
}

TEST_F(AgentTest, LinksThatLeadOutOfTheOutputAreKeptAndNamed) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.effect = [](const LaunchSpec& spec) {
      ASSERT_EQ(symlink("/usr", (spec.paths.output() + "/link").c_str()), 0);
      ASSERT_EQ(mkfifo((spec.paths.output() + "/pipe").c_str(), 0600), 0);
    };
    return job;
  };
  FinishReport report = run(assignment(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(
      report.outcome.reason,
      "not all of the output was kept: pipe is a fifo and is left out; in the output, 1 link leads out of what is "
      "captured, and stays a link: link -> /usr");
}

TEST_F(AgentTest, WhatIsWantedOfTheWorkingDirectoryJoinsTheOutput) {
  script_ = [this](const LaunchSpec&) {
    FakeJob job;
    job.outcome = {OutcomeKind::exited, 3};
    job.effect = [this](const LaunchSpec& spec) {
      const std::string code = runtime_.working_copy(spec.paths).path;
      write_text(spec.paths.output() + "/o", "out");
      write_text(code + "/runs/1", "kept");
      write_text(code + "/log", "gone");
    };
    return job;
  };
  auto given = assignment(1);
  given.spec.outputs = {"runs"};
  FinishReport report = run(given);
  EXPECT_EQ(report.outcome.kind, OutcomeKind::exited);
  EXPECT_EQ(stored_file(*report.output_tree, "o"), "out");
  EXPECT_EQ(stored_file(*report.output_tree, "runs/1"), "kept");
  EXPECT_EQ(report.outcome.reason.find("\nGone with the job's working directory: log (4 bytes);"), 0u)
      << report.outcome.reason;
  // Of indices, all that share a working directory: it goes to the first.
  given = assignment(2);
  given.spec.outputs = {"."};
  given.spec.indices = IndexRange{3, 5};
  report = run(given);
  EXPECT_EQ(stored_file(*report.output_tree, "3/runs/1"), "kept");
  EXPECT_EQ(report.outcome.reason, "");
}

TEST_F(AgentTest, BytesOfTheLogThatTheControllerLostAreSentAgain) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.log = "0123456789";
    job.ends_by_itself = false;
    return job;
  };
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return controller_.log(attempt_id(1)).size() == 10; }));
  controller_.cut_log(attempt_id(1), 4);
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  EXPECT_EQ(controller_.wait_for_finish(attempt_id(1)).log_bytes, 10u);
  EXPECT_EQ(controller_.log(attempt_id(1)), "0123456789");
}

TEST_F(AgentTest, ManyMeasuresTravelBeforeTheReport) {
  constexpr int kFiles = 5'000;
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.effect = [](const LaunchSpec& spec) {
      for (int i = 0; i < kFiles; ++i)
        write_text(spec.paths.measures() + "/step/" + std::to_string(i), std::to_string(i) + ".0");
    };
    return job;
  };
  run(assignment(1));
  EXPECT_EQ(controller_.measures(attempt_id(1)).size(), static_cast<size_t>(kFiles));
}

}  // namespace
}  // namespace plz
