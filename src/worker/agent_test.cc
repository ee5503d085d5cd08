#include "worker/agent.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "os/file.h"
#include "runtime/fake/fake_runtime.h"
#include "store/materialise.h"
#include "worker/attempt_directory.h"
#include "worker/fake_controller.h"

namespace plz {
namespace {

using namespace testing_worker;
using std::chrono::milliseconds;

AttemptId attempt_id(int number) {
  return *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-0000000000" + std::to_string(10 + number));
}

// An agent in a thread, over a controller in memory and a runtime that plays jobs.
class AgentTest : public testing::Test {
 protected:
  AgentTest() : runtime_(clock_, [this](const LaunchSpec& spec) { return script_(spec); }) {
    code_ = controller_.put_tree({{"train.py", "print(1)"}});
    settings_.directory = directory_.path() + "/worker";
    settings_.poll = std::chrono::seconds(5);
    settings_.backoff = {milliseconds(1), milliseconds(4)};
  }
  ~AgentTest() override { stop(); }

  void start() {
    agent_ = std::make_unique<Agent>(settings_, controller_, std::vector<Runtime*>{&runtime_}, clock_);
    ended_ = false;
    thread_ = std::jthread([this](std::stop_token stop) {
      result_ = agent_->run(stop);
      ended_ = true;
    });
  }
  void stop() {
    thread_ = {};
    agent_.reset();
  }
  bool has_ended() const { return ended_; }

  Assignment assignment(int number) {
    Assignment assignment;
    assignment.attempt_id = attempt_id(number);
    assignment.execution_id = *ExecutionId::parse(attempt_id(number).to_string());
    assignment.spec.user = "ada";
    assignment.spec.command = {"true"};
    assignment.spec.snapshot.code_tree = code_;
    assignment.shell_environment = {{"PATH", "/bin"}, {"HOME", "/root"}, {"SECRET", "s"}};
    return assignment;
  }
  AttemptPaths paths(int number) const {
    return {settings_.directory + "/attempts/" + attempt_id(number).to_string()};
  }
  bool is_removed(int number) const {
    return eventually([&] { return !path_exists(paths(number).directory); });
  }
  FinishReport run(Assignment assignment) {
    AttemptId id = assignment.attempt_id;
    controller_.give(std::move(assignment));
    if (!agent_) start();
    return controller_.wait_for_finish(id);
  }
  std::string stored_file(const Digest& tree, std::string_view path) {
    auto entry = find_entry(tree, path, controller_.store());
    if (!entry || !*entry) return "absent";
    return controller_.store().get((*entry)->digest).value_or("not in the store");
  }

  TempDirectory directory_;
  SystemClock clock_;
  FakeController controller_;
  std::function<FakeJob(const LaunchSpec&)> script_ = [](const LaunchSpec&) { return FakeJob{}; };
  FakeRuntime runtime_;
  Digest code_;
  AgentSettings settings_;
  std::unique_ptr<Agent> agent_;
  std::atomic<bool> ended_{false};
  Result<void> result_;
  std::jthread thread_;
};

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
  FinishReport report = run(assignment(1));
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

TEST_F(AgentTest, RunsSeveralAtOnce) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.ends_by_itself = false;
    return job;
  };
  for (int i = 0; i < 5; ++i) controller_.give(assignment(i));
  start();
  EXPECT_TRUE(eventually([&] { return runtime_.started().size() == 5; }));
  for (int i = 0; i < 5; ++i) runtime_.finish(paths(i), {OutcomeKind::succeeded, 0});
  for (int i = 0; i < 5; ++i) controller_.wait_for_finish(attempt_id(i));
  EXPECT_EQ(controller_.count("fetch"), 3u);  // the tree's parts, once for all
}

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

TEST_F(AgentTest, AStoppedJobIsStoppedWhateverItsStatus) {
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.ends_by_itself = false;
    return job;
  };
  controller_.give(assignment(1));
  start();
  ASSERT_TRUE(eventually([&] { return runtime_.started().size() == 1; }));
  controller_.order_stop(attempt_id(1), 1'500);
  FinishReport report = controller_.wait_for_finish(attempt_id(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::stopped);
  EXPECT_EQ(runtime_.stop_asked(paths(1)), milliseconds(1'500));
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
  runtime_.finish(paths(1), {OutcomeKind::succeeded, 0});
  controller_.wait_for_finish(attempt_id(1));
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
  FinishReport report = run(assignment(1));
  EXPECT_EQ(report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(report.outcome.reason, "no user namespaces: sysctl user.max_user_namespaces");
  EXPECT_EQ(report.log_bytes, 0u);
}

TEST_F(AgentTest, AnImageNeedsARuntimeForImages) {
  auto given = assignment(1);
  given.spec.snapshot.environment.image = "debian:12";
  FinishReport report = run(given);
  EXPECT_EQ(report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(report.outcome.reason,
            "no runtime of this worker can run the job: it has none for container images");
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

TEST_F(AgentTest, OutputThatCannotBeStoredIsKept) {
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
  EXPECT_NE(report.outcome.reason.find("pipe"), std::string::npos);
  EXPECT_EQ(stored_file(*report.output_tree, "pipe"), "absent");
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
  script_ = [](const LaunchSpec&) {
    FakeJob job;
    job.ends_by_itself = false;
    return job;
  };
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
