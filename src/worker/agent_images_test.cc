// Jobs in containers, as the agent goes about them: over an engine that a script plays.
#include "worker/agent.h"

#include <gtest/gtest.h>

#include <thread>

#include "model/preparation_line.h"
#include "os/file.h"
#include "runtime/fake/fake_runtime.h"
#include "worker/fake_controller.h"

namespace plz {
namespace {

using namespace testing_worker;
using std::chrono::milliseconds;

const AttemptId kAttempt = *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-000000000011");
const ImageIdentity kImage{"sha256:1", "debian@sha256:2"};

class ScriptedEnvironments final : public Environments {
 public:
  using Say = std::function<void(std::string_view)>;
  using Script = std::function<Result<ReadyEnvironment>(const Say& say, std::stop_token stop)>;

  void set_script(Script script) {
    std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  std::vector<EnvironmentRequest> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  size_t evictions() const { return evictions_; }

  Result<ReadyEnvironment> ensure(const EnvironmentRequest& request, const Say& say, std::stop_token stop) override {
    Script script;
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(request);
      script = script_;
    }
    return script(say, stop);
  }
  Result<std::vector<KeptEnvironment>> list() override { return std::vector<KeptEnvironment>{}; }
  Result<void> need(const std::vector<std::string>&) override { return {}; }
  Result<std::vector<KeptEnvironment>> unneeded(const std::vector<std::string>&) override { return list(); }
  Result<bool> remove(const std::string&) override { return true; }
  Result<void> evict() override {
    ++evictions_;
    return {};
  }

 private:
  mutable std::mutex mutex_;
  Script script_ = [](const Say&, std::stop_token) { return ReadyEnvironment{kImage}; };
  std::vector<EnvironmentRequest> requests_;
  std::atomic<size_t> evictions_ = 0;
};

// Until it is stopped, as a build that has far to go.
Result<ReadyEnvironment> build_for_ever(const ScriptedEnvironments::Say& say, std::stop_token stop) {
  say("Step 1/2\n");
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait(lock, stop, [] { return false; });
  return fail(ErrorCode::cancelled, "the build was cancelled");
}

class AgentImagesTest : public testing::Test {
 protected:
  AgentImagesTest()
      : docker_(
            clock_, [this](const LaunchSpec&) { return job_; }, "docker") {
    code_ = controller_.put_tree({{"train.py", "print(1)"}});
    settings_.directory = directory_.path() + "/worker";
    settings_.poll = std::chrono::seconds(1);
    settings_.backoff = {milliseconds(1), milliseconds(4)};
    settings_.storage_patience = std::chrono::milliseconds(50);
  }
  ~AgentImagesTest() override { stop(); }

  void start(bool with_engine = true) { start(with_engine, clock_); }
  void start(bool with_engine, const Clock& clock) {
    agent_ = std::make_unique<Agent>(settings_, controller_, std::vector<Runtime*>{&docker_}, clock,
                                     with_engine ? &environments_ : nullptr);
    thread_ = std::jthread([this](std::stop_token stop) { (void)agent_->run(stop); });
  }
  void stop() {
    thread_ = {};
    agent_.reset();
  }
  Assignment assignment() {
    Assignment assignment;
    assignment.attempt_id = kAttempt;
    assignment.execution_id = *ExecutionId::parse(kAttempt.to_string());
    assignment.spec.user = "ada";
    assignment.spec.snapshot = {code_, {"debian:12", {"RUN true"}, false, {}}};
    assignment.spec.docker_run_args.text = R"({"platform": "linux/arm64"})";
    assignment.images_repository = "registry:5000/plz";
    return assignment;
  }
  AttemptPaths paths() const { return {settings_.directory + "/attempts/" + kAttempt.to_string()}; }
  void job_goes_on() { job_.ends_by_itself = false; }
  FinishReport run() {
    controller_.give(assignment());
    start();
    return controller_.wait_for_finish(kAttempt);
  }

  TemporaryDirectory directory_{in_memory()};
  SystemClock clock_;
  FakeController controller_;
  ScriptedEnvironments environments_;
  FakeJob job_;
  FakeRuntime docker_;
  Digest code_;
  AgentSettings settings_;
  std::unique_ptr<Agent> agent_;
  std::jthread thread_;
};

TEST_F(AgentImagesTest, RunsTheImagesOwnCommandInTheImage) {
  job_goes_on();
  controller_.give(assignment());
  start();
  ASSERT_TRUE(eventually([&] { return controller_.started(kAttempt).has_value(); }));
  EXPECT_EQ(controller_.started(kAttempt)->image, kImage);
  docker_.finish(paths(), {OutcomeKind::succeeded, 0});
  EXPECT_EQ(controller_.wait_for_finish(kAttempt).image, kImage);

  EnvironmentRequest request = environments_.requests().at(0);
  EXPECT_EQ(request.recipe, assignment().spec.snapshot.environment);
  EXPECT_EQ(request.code_tree, code_);
  EXPECT_TRUE(path_exists(request.code_directory + "/train.py"));
  EXPECT_EQ(request.platform, "linux/arm64");
  EXPECT_EQ(request.repository, "registry:5000/plz");
  LaunchSpec launched = docker_.started().at(0);
  EXPECT_EQ(launched.image, kImage.id);
  EXPECT_TRUE(launched.command.empty());
  EXPECT_EQ(launched.docker_run_args, assignment().spec.docker_run_args);
}

TEST_F(AgentImagesTest, AnImageThatIsReadyCostsNoRequest) {
  const FakeClock still;  // it takes no time, however long that takes
  controller_.give(assignment());
  start(true, still);
  EXPECT_EQ(controller_.wait_for_finish(kAttempt).outcome.kind, OutcomeKind::succeeded);
  for (auto call : {"started", "log_size", "append_log"}) EXPECT_EQ(controller_.count(call), 0u) << call;
  EXPECT_TRUE(eventually([&] { return environments_.evictions() == 1; }));
  stop();
}

TEST_F(AgentImagesTest, WhatABuildPrintsIsSentMeanwhile) {
  environments_.set_script([&](const ScriptedEnvironments::Say& say, std::stop_token) -> Result<ReadyEnvironment> {
    say("Step 1/2\n");
    EXPECT_TRUE(eventually([&] { return controller_.preparation_log(kAttempt) == "Step 1/2\n"; }));
    say("Step 2/2");  // its line break is missing
    say("");
    say("-- 1 of 2\n");
    return ReadyEnvironment{kImage, true};
  });
  run();
  EXPECT_EQ(controller_.preparation_log(kAttempt), "Step 1/2\nStep 2/2\n\n-- 1 of 2\n");
  EXPECT_EQ(controller_.log(kAttempt), "");
}

TEST_F(AgentImagesTest, AFailedBuildIsToldInTheEnginesWords) {
  environments_.set_script([](const ScriptedEnvironments::Say& say, std::stop_token) -> Result<ReadyEnvironment> {
    say("Step 1/1 : RUN false\n");
    return fail(ErrorCode::invalid, "RUN false: exit status 1", "mend it");
  });
  FinishReport report = run();
  EXPECT_EQ(report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(report.outcome.reason, "RUN false: exit status 1: mend it");
  EXPECT_FALSE(report.image);
  EXPECT_EQ(controller_.preparation_log(kAttempt), "Step 1/1 : RUN false\n");
  EXPECT_EQ(environments_.requests().size(), 1u);
  EXPECT_TRUE(docker_.started().empty());
}

TEST_F(AgentImagesTest, AnEngineThatIsAwayForAMomentIsAskedAgain) {
  environments_.set_script([&](const ScriptedEnvironments::Say&, std::stop_token) -> Result<ReadyEnvironment> {
    if (environments_.requests().size() < 2) return fail(ErrorCode::unavailable, "no engine answers");
    return ReadyEnvironment{kImage};
  });
  EXPECT_EQ(run().outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(controller_.preparation_log(kAttempt), "** no engine answers; trying again\n");
}

TEST_F(AgentImagesTest, AnEngineThatStaysAwayIsToldOf) {
  environments_.set_script([](const ScriptedEnvironments::Say&, std::stop_token) -> Result<ReadyEnvironment> {
    return fail(ErrorCode::unavailable, "no engine answers", "start it");
  });
  EXPECT_EQ(run().outcome.reason, "no engine answers: start it");
}

TEST_F(AgentImagesTest, AStopEndsABuild) {
  environments_.set_script(build_for_ever);
  controller_.give(assignment());
  start();
  ASSERT_TRUE(eventually([&] { return controller_.preparation_log(kAttempt) == "Step 1/2\n"; }));
  controller_.order_stop(kAttempt);
  FinishReport report = controller_.wait_for_finish(kAttempt);
  EXPECT_EQ(report.outcome.kind, OutcomeKind::stopped);
  EXPECT_EQ(report.outcome.reason, "stopped before it was started");
  EXPECT_TRUE(docker_.started().empty());
}

TEST_F(AgentImagesTest, ALaterAgentPreparesAgainAndKnowsTheImage) {
  job_goes_on();
  environments_.set_script(build_for_ever);
  controller_.give(assignment());
  start();
  ASSERT_TRUE(eventually([&] { return controller_.preparation_log(kAttempt) == "Step 1/2\n"; }));
  stop();
  EXPECT_FALSE(controller_.finished(kAttempt));
  environments_.set_script([](const ScriptedEnvironments::Say& say, std::stop_token) -> Result<ReadyEnvironment> {
    say("Step 2/2\n");
    return ReadyEnvironment{kImage};
  });
  start();
  ASSERT_TRUE(eventually([&] { return docker_.started().size() == 1; }));
  stop();
  start();
  docker_.finish(paths(), {OutcomeKind::succeeded, 0});
  EXPECT_EQ(controller_.wait_for_finish(kAttempt).image, kImage);
  EXPECT_EQ(controller_.preparation_log(kAttempt), "Step 1/2\nStep 2/2\n");
}

TEST_F(AgentImagesTest, WhileTheControllerIsAwayABuildGoesOnAndNothingIsLost) {
  job_goes_on();
  environments_.set_script([&](const ScriptedEnvironments::Say& say, std::stop_token) -> Result<ReadyEnvironment> {
    say("Step 1/2\n");
    EXPECT_TRUE(eventually([&] { return controller_.preparation_log(kAttempt) == "Step 1/2\n"; }));
    controller_.set_away(true);
    say("Step 2/2\n");
    return ReadyEnvironment{kImage};
  });
  controller_.give(assignment());
  start();
  ASSERT_TRUE(eventually([&] { return docker_.started().size() == 1; }));
  EXPECT_EQ(controller_.preparation_log(kAttempt), "Step 1/2\n");
  controller_.set_away(false);
  ASSERT_TRUE(eventually([&] { return controller_.started(kAttempt).has_value(); }));
  EXPECT_EQ(controller_.preparation_log(kAttempt), "Step 1/2\nStep 2/2\n");
  docker_.finish(paths(), {OutcomeKind::succeeded, 0});
  controller_.wait_for_finish(kAttempt);
}

TEST_F(AgentImagesTest, WithoutAnEngineItSaysSo) {
  controller_.give(assignment());
  start(false);
  FinishReport report = controller_.wait_for_finish(kAttempt);
  EXPECT_EQ(report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_TRUE(report.outcome.reason.starts_with("this worker has no container engine")) << report.outcome.reason;
}

TEST_F(AgentImagesTest, APlatformMustBeAText) {
  Assignment wrong = assignment();
  wrong.spec.docker_run_args.text = R"({"platform": 7})";
  controller_.give(wrong);
  start();
  EXPECT_EQ(controller_.wait_for_finish(kAttempt).outcome.reason, "docker_run_args: platform must be a string");
}

// Two engines: that of DOCKER_HOST=other, and the worker's own.
class TwoEngines final : public ContainerEngines {
 public:
  TwoEngines(ContainerEngine own, ContainerEngine other) : own_(std::move(own)), other_(std::move(other)) {}
  ContainerEngine of_shell(const EnvironmentVariables& shell) override {
    return shell == EnvironmentVariables{{"DOCKER_HOST", "other"}} ? other_ : own_;
  }
  ContainerEngine noted(std::string_view note, const EnvironmentVariables& shell) override {
    return note == other_.note ? other_ : note == own_.note ? own_ : of_shell(shell);
  }
  std::vector<ContainerEngine> known() override { return {own_, other_}; }

 private:
  const ContainerEngine own_, other_;
};

TEST_F(AgentImagesTest, TheEngineIsThatOfTheShellAlsoForALaterWorker) {
  ScriptedEnvironments others;
  FakeRuntime other_docker(
      clock_, [this](const LaunchSpec&) { return job_; }, "docker");
  TwoEngines engines({"own", "own", &docker_, &environments_, nullptr},
                     {"other", "other", &other_docker, &others, nullptr});
  const auto start_with_engines = [&] {
    agent_ = std::make_unique<Agent>(settings_, controller_, std::vector<Runtime*>{&docker_}, clock_, &environments_);
    agent_->use_engines(engines);
    thread_ = std::jthread([this](std::stop_token stop) { (void)agent_->run(stop); });
  };
  job_goes_on();
  Assignment given = assignment();
  given.shell_environment = {{"DOCKER_HOST", "other"}};
  controller_.give(given);
  start_with_engines();
  ASSERT_TRUE(eventually([&] { return controller_.started(kAttempt).has_value(); }));
  EXPECT_EQ(others.requests().size(), 1u);
  EXPECT_TRUE(environments_.requests().empty());
  stop();
  EXPECT_EQ(read_file(paths().directory + "/engine").value_or(""), "other");
  // What the shell's variables lead to by now does not matter.
  const std::string assignment_path = paths().directory + "/assignment";
  std::string text = *read_file(assignment_path);
  text.replace(text.find("\"other\""), 7, "\"third\"");
  ASSERT_TRUE(write_file_atomically(assignment_path, text, 0600, Sync::no));
  start_with_engines();
  other_docker.finish(paths(), {OutcomeKind::succeeded, 0});
  EXPECT_TRUE(controller_.wait_for_finish(kAttempt).outcome.succeeded());
  // Those that sent no variables take the worker's own.
  Assignment plain = assignment();
  plain.attempt_id = *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-000000000012");
  controller_.give(plain);
  ASSERT_TRUE(eventually([&] { return controller_.started(plain.attempt_id).has_value(); }));
  EXPECT_EQ(environments_.requests().size(), 1u);
  docker_.finish({settings_.directory + "/attempts/" + plain.attempt_id.to_string()}, {OutcomeKind::succeeded, 0});
  EXPECT_TRUE(controller_.wait_for_finish(plain.attempt_id).outcome.succeeded());
  stop();
}

}  // namespace
}  // namespace plz
