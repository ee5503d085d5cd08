// Against real engines: what happens to containers that nobody asked for.
#include <thread>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include "engine/missing_engine_test.h"
#include "engine/own_engine.h"
#include "os/file.h"
#include "runtime/docker/docker_fixture.h"

namespace plz {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::string name_of(const LaunchSpec& spec) { return "plz-" + spec.attempt_id.to_string(); }

// The first lines of 1, 2, 3, …, each whole but for the last.
bool is_counted(const std::string& log) {
  std::string expected;
  for (int i = 1; expected.size() < log.size(); ++i) expected += fmt::format("{}\n", i);
  return expected.starts_with(log);
}

class DockerBadLuck : public DockerTest {};
INSTANTIATE_TEST_SUITE_P(Docker, DockerBadLuck, testing::Values(docker_kind()), runtime_kind_name);

constexpr char kCounting[] = "i=1; while :; do echo $i; i=$((i+1)); done";

TEST_P(DockerBadLuck, RemovedByHand) {
  auto spec = spec_for("echo ready; sleep 60");
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "ready\n");
  ASSERT_TRUE(engine().remove_container(name_of(spec)));
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::lost);
  EXPECT_THAT(ended.report.outcome.reason, HasSubstr("removed"));
  EXPECT_EQ(ended.log, "ready\n");
  EXPECT_TRUE(ended.report.started);
  EXPECT_EQ(runtime_->wait(spec.paths, {})->outcome, ended.report.outcome);
  EXPECT_EQ(*runtime_->recover(spec.paths), AttemptPhase::ended);
}

TEST_P(DockerBadLuck, KilledByHandWhileItPrints) {
  auto spec = spec_for(kCounting);
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "\n10000\n");
  ASSERT_TRUE(engine().kill_container(name_of(spec), "KILL"));
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::signalled);
  EXPECT_EQ(ended.report.outcome.signal, SIGKILL);
  EXPECT_THAT(ended.report.outcome.reason, HasSubstr("from outside"));
  EXPECT_TRUE(is_counted(ended.log));
}

TEST_P(DockerBadLuck, AskedToEndByHand) {
  auto spec = spec_for("trap 'echo asked; exit 4' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "ready\n");
  ASSERT_TRUE(engine().kill_container(name_of(spec), "TERM"));
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.exit_status, 4);
  EXPECT_THAT(ended.log, testing::EndsWith("asked\n"));
}

TEST_P(DockerBadLuck, StartedAgainByHandItDoesNotRunAgain) {
  auto spec = spec_for("echo once; exit 6");
  run(spec);
  ASSERT_TRUE(engine().start_container(name_of(spec)));
  ASSERT_TRUE(engine().wait_container(name_of(spec), {}));
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.exit_status, 6);
  EXPECT_EQ(ended.log, "once\n");
}

TEST_P(DockerBadLuck, APausedOneCanBeStopped) {
  auto spec = spec_for("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "ready\n");
  if (system(("docker pause " + name_of(spec) + " >/dev/null").c_str()) != 0) GTEST_SKIP() << "docker pause fails here";
  EXPECT_EQ(*GetParam().make(directory_)->recover(spec.paths), AttemptPhase::running);
  ASSERT_TRUE(runtime_->stop(spec.paths, 60s));
  EXPECT_EQ(wait_for(spec.paths).report.outcome.exit_status, 7);
}

TEST_P(DockerBadLuck, ALeftoverOfItsNameMakesRoom) {
  auto spec = spec_for("echo ran");
  JsonText leftover{
      fmt::format(R"({{"Image":"{}","Cmd":["true"],"Labels":{{"plz.controller":"{}"}}}})", image(), kTestController)};
  ASSERT_TRUE(engine().create_container(name_of(spec), leftover));
  EXPECT_EQ(run(spec).log, "ran\n");
}

TEST_P(DockerBadLuck, AForeignOneOfItsNameStays) {
  auto spec = spec_for("true");
  std::string name = fmt::format("plz-test-foreign-{}", getpid());
  spec.docker_run_args.text = fmt::format(R"({{"name": "{}"}})", name);
  auto foreign = engine().create_container(name, {fmt::format(R"({{"Image":"{}","Cmd":["true"]}})", image())});
  ASSERT_TRUE(foreign);
  auto started = runtime_->start(spec);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::invalid);
  EXPECT_THAT(started.error().message, HasSubstr(name));
  EXPECT_EQ((*engine().inspect_container(name))->id, *foreign);
  EXPECT_TRUE(runtime_->destroy(spec.paths));
  EXPECT_TRUE(*engine().inspect_container(name));
  EXPECT_TRUE(engine().remove_container(name));
  // Free again.
  EXPECT_TRUE(run(spec).report.outcome.succeeded());
}

TEST_P(DockerBadLuck, ANameThatALiveAttemptHasIsNotTakenFromIt) {
  const std::string name = fmt::format("plz-test-shared-{}", getpid());
  auto first = spec_for("echo first; exit 3"), second = spec_for("echo second");
  first.docker_run_args.text = second.docker_run_args.text = fmt::format(R"({{"name": "{}"}})", name);
  ASSERT_TRUE(runtime_->start(first));
  ASSERT_TRUE(engine().wait_container(name, {}));
  // It is over, and nobody has heard of that yet.
  auto refused = runtime_->start(second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_THAT(refused.error().message, HasSubstr(name));
  EXPECT_TRUE(runtime_->destroy(second.paths));
  EXPECT_TRUE(*engine().inspect_container(name));
  EXPECT_EQ(wait_for(first.paths).report.outcome.exit_status, 3);
  // Its name is free from now on, before its directory is removed.
  EXPECT_EQ(run(second).log, "second\n");
}

TEST_P(DockerBadLuck, AnImageWithoutAShell) {
  auto spec = spec_for("");
  spec.image = build("FROM " + image() + "\nRUN rm /bin/sh\n");
  spec.command = {"python3", "-c", "print('no shell')"};
  EXPECT_EQ(run(spec).log, "no shell\n");
  auto with_shell = again(spec);
  with_shell.command = {"sh", "-c", "true"};
  EXPECT_EQ(run(with_shell).report.outcome.exit_status, 127);
}

// The engine starts its container again and again then: nothing runs in it, and it can be removed.
TEST_P(DockerBadLuck, AskedByHandToRestartItIsOverWhenItsJobIs) {
  auto spec = waiting_spec(fmt::format("echo once; {}exit 6", kAwaitGo));
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "once\n");
  ASSERT_EQ(system(("docker update --restart=always " + name_of(spec) + " >/dev/null").c_str()), 0);
  let_go(spec);
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.exit_status, 6);
  // Until it was started again.
  const std::string again = "for i in $(seq 900); do [ $(docker inspect --format '{{.RestartCount}}' " + name_of(spec) +
                            ") != 0 ] && exit 0; sleep 0.1; done; exit 1";
  EXPECT_EQ(system(again.c_str()), 0);
  EXPECT_EQ(*GetParam().make(directory_)->recover(spec.paths), AttemptPhase::ended);
  EXPECT_EQ(wait_for(spec.paths).log, "once\n");
  ASSERT_TRUE(runtime_->destroy(spec.paths));
  EXPECT_FALSE(*engine().inspect_container(name_of(spec)));
}

TEST_P(DockerBadLuck, AJobThatWritesToItsOwnLayer) {
  auto spec = spec_for("dd if=/dev/zero of=/big bs=1M count=200 2>/dev/null && echo written");
  EXPECT_EQ(run(spec).log, "written\n");
  ASSERT_TRUE(runtime_->destroy(spec.paths));
  EXPECT_FALSE(*engine().inspect_container(name_of(spec)));
}

TEST_P(DockerBadLuck, TwentyAtOnce) {
  std::vector<LaunchSpec> specs;
  for (int i = 0; i < 20; ++i) specs.push_back(spec_for(fmt::format("echo {}; exit {}", i, i)));
  {
    std::vector<std::jthread> threads;
    for (const LaunchSpec& spec : specs)
      threads.emplace_back([&] {
        auto started = runtime_->start(spec);
        EXPECT_TRUE(started) << started.error().message;
        auto report = runtime_->wait(spec.paths, {});
        EXPECT_TRUE(report) << report.error().message;
        EXPECT_TRUE(runtime_->destroy(spec.paths));
      });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(log_of(specs[static_cast<size_t>(i)].paths), fmt::format("{}\n", i));
    EXPECT_FALSE(*engine().inspect_container(name_of(specs[static_cast<size_t>(i)])));
  }
}

TEST(DockerWithoutAnEngine, SaysWhatToDoAndFindsALaterOne) {
  DockerRuntime none({"/plz-init", "test"}, test_engine("/nonexistent/docker.sock"));
  auto fingerprint = none.fingerprint();
  EXPECT_EQ(fingerprint.name, "docker");
  EXPECT_FALSE(fingerprint.available);
  EXPECT_THAT(fingerprint.detail, HasSubstr("docker.io"));
  EXPECT_THAT(fingerprint.detail, HasSubstr("sandbox"));
  LaunchSpec spec;
  spec.paths.directory = "/nonexistent";
  spec.image = "x";
  EXPECT_EQ(none.start(spec).error().code, ErrorCode::unavailable);
  DockerRuntime far({"/plz-init", "test"},
                    EngineSettings{{.kind = Endpoint::Kind::http, .host = "far", .port = 1}, "DOCKER_HOST"});
  EXPECT_THAT(far.fingerprint().detail, HasSubstr("another machine"));
}

// With an engine of its own, which is killed, and whose disk gets full.
class OwnEngineTest : public RuntimeContract {
 protected:
  static void SetUpTestSuite() {
    obstacle_ = OwnEngine::obstacle(docker_kind().image);
    if (!obstacle_.empty()) return;
    own_ = new OwnEngine(300);
    EXPECT_TRUE(own_->start());
    EXPECT_TRUE(own_->load(docker_kind().image));
  }
  static void TearDownTestSuite() {
    delete own_;
    own_ = nullptr;
  }
  void SetUp() override {
    if (!own_ && geteuid() != 0) GTEST_SKIP() << "SKIPPED, no engine that may be killed: " << obstacle_;
    if (!own_) PLZ_SKIP_FOR_WANT_OF("engine that may be killed: " + obstacle_);
    directory_ = testing::TempDir() + "plz-own-engine-XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    ASSERT_TRUE(make_directories(directory_ + "/code"));
    runtime_ = docker_kind(own_->socket()).make(directory_);
  }
  void TearDown() override {
    RuntimeContract::TearDown();
    if (!own_) return;
    auto left = EngineClient(*test_engine(own_->socket())).list_containers({{kLabelController, kTestController}});
    ASSERT_TRUE(left) << left.error().message;
    EXPECT_TRUE(left->empty()) << left->front().name;
  }
  static inline OwnEngine* own_ = nullptr;
  static inline std::string obstacle_;
};
INSTANTIATE_TEST_SUITE_P(Docker, OwnEngineTest, testing::Values(docker_kind()), runtime_kind_name);

TEST_P(OwnEngineTest, KilledDuringARunLosesNothing) {
  auto spec = waiting_spec(
      fmt::format("i=1; while [ $i -le 30000 ]; do echo $i; i=$((i+1)); [ $i -le 5000 ] || {}done; exit 3", kAwaitGo));
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "\n4999\n");
  own_->end(SIGKILL);
  let_go(spec);
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.exit_status, 3);
  EXPECT_TRUE(is_counted(ended.log));
  EXPECT_TRUE(ended.log.ends_with("\n30000\n"));
  ASSERT_TRUE(own_->start());
}

TEST_P(OwnEngineTest, StartedAgainItKillsWhatRuns) {
  auto spec = spec_for(std::string("trap '' TERM; ") + kCounting);
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "\n10000\n");
  own_->end(SIGKILL);
  ASSERT_TRUE(own_->start());
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.signal.value_or(SIGKILL), SIGKILL) << ended.report.outcome.reason;
  EXPECT_TRUE(is_counted(ended.log));
}

// What the engine had read and not yet written when it was killed is lost in its own log too.
TEST_P(OwnEngineTest, KilledWhileItKeepsTheLogWhatItKeptComesOnce) {
  auto spec = spec_for(
      "trap 'exit 6' TERM; i=1; while [ $i -le 20000 ]; do echo $i; i=$((i+1)); done; "
      "while :; do sleep 0.01; done");
  spec.docker_run_args.text = R"({"log_config": {"type": "json-file"}})";
  ASSERT_TRUE(runtime_->start(spec));
  std::jthread killer([&] {
    await_log(spec.paths, "\n10000\n");
    own_->end(SIGKILL);
    EXPECT_TRUE(own_->start());
  });
  auto ended = wait_for(spec.paths);
  EXPECT_NE(ended.report.outcome.exit_status, 0);
  EXPECT_TRUE(is_counted(ended.log.substr(0, ended.log.find("\n10000\n"))));
  std::string kept;
  EngineClient engine(*test_engine(own_->socket()));
  ASSERT_TRUE(engine.follow_log(name_of(spec),
                                [&](std::string_view bytes) -> Result<void> {
                                  kept += bytes;
                                  return {};
                                },
                                {}));
  EXPECT_TRUE(ended.log == kept) << ended.log.size() << " bytes of " << kept.size();
}

TEST_P(OwnEngineTest, EndedInOrderItAsksJobsToEnd) {
  auto spec = spec_for("trap 'echo asked; exit 5' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "ready\n");
  own_->end(SIGTERM);
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.exit_status, 5);
  EXPECT_THAT(ended.log, testing::EndsWith("asked\n"));
  EXPECT_EQ(runtime_->start(spec_for("true")).error().code, ErrorCode::unavailable);
  ASSERT_TRUE(own_->start());
}

TEST_P(OwnEngineTest, AJobWritesMoreThanTheDiskHas) {
  auto spec =
      spec_for("echo first; dd if=/dev/zero of=/big bs=1M count=10240 2>&1 | grep -o 'No space.*'; echo last; exit 4");
  auto ended = run(spec);
  EXPECT_EQ(ended.log, "first\nNo space left on device\nlast\n");
  EXPECT_EQ(ended.report.outcome.exit_status, 4);
  ASSERT_TRUE(runtime_->destroy(spec.paths));
  EXPECT_EQ(run(spec_for("dd if=/dev/zero of=/big bs=1M count=50 2>/dev/null && echo room again")).log, "room again\n");
}

TEST_P(OwnEngineTest, ADiskThatIsFullAlready) {
  own_->fill_disk(0);
  auto spec = spec_for("echo never");
  auto started = runtime_->start(spec);
  own_->free_disk();
  EXPECT_THAT(*EngineClient(*test_engine(own_->socket())).list_containers({{kLabelController, kTestController}}),
              testing::IsEmpty());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::unavailable) << started.error().message;
  EXPECT_THAT(started.error().message, HasSubstr("o space left on device"));
  EXPECT_EQ(run(spec_for("echo room")).log, "room\n");
}

}  // namespace
}  // namespace plz
