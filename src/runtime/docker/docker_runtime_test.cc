// Against the real engines: the contract of every runtime, and what is a container's own.
#include "runtime/docker/docker_runtime.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/contract.h"
#include "os/file.h"
#include "runtime/docker/docker_fixture.h"

namespace plz {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

INSTANTIATE_TEST_SUITE_P(Containers, RuntimeContract, testing::Values(docker_kind(), podman_kind()), runtime_kind_name);

class DockerRuntimeTest : public DockerTest {};
INSTANTIATE_TEST_SUITE_P(Docker, DockerRuntimeTest, testing::Values(docker_kind()), runtime_kind_name);

TEST_P(DockerRuntimeTest, LabelsItsContainerAndLeavesNone) {
  auto spec = spec_for("sleep 60");
  ASSERT_TRUE(runtime_->start(spec));
  auto list = engine().list_containers({{kLabelAttempt, spec.attempt_id.to_string()}});
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().name, "plz-" + spec.attempt_id.to_string());
  EXPECT_EQ(list->front().labels.at(kLabelExecution), spec.execution_id.to_string());
  EXPECT_EQ(list->front().labels.at(kLabelController), kTestController);
  ASSERT_TRUE(runtime_->stop(spec.paths, 0ms));
  wait_for(spec.paths);
  ASSERT_TRUE(runtime_->destroy(spec.paths));
  EXPECT_TRUE(engine().list_containers({{kLabelAttempt, spec.attempt_id.to_string()}})->empty());
}

TEST_P(DockerRuntimeTest, SaysWhatTheEngineCanDo) {
  DockerRuntime docker({PLZ_INIT_PATH, kTestController}, test_engine());
  const RuntimeFingerprint quick = docker.fingerprint(), full = docker.full_fingerprint();
  EXPECT_TRUE(full.available);
  EXPECT_FALSE(full.version.empty());
  EXPECT_EQ(full.version, quick.version);
  EXPECT_THAT(full.detail, testing::StartsWith(quick.detail + "; runtimes "));
  EXPECT_THAT(full.detail, HasSubstr("runc"));
}

TEST_P(DockerRuntimeTest, ListsItsOwnContainersAndRemovesThem) {
  DockerRuntime keeper({PLZ_INIT_PATH, kTestController}, test_engine());
  auto spec = spec_for("sleep 60");
  ASSERT_TRUE(runtime_->start(spec));
  auto kept = keeper.containers();
  ASSERT_TRUE(kept) << kept.error().message;
  auto mine = std::find_if(kept->begin(), kept->end(),
                           [&](const KeptContainer& container) { return container.attempt_id == spec.attempt_id; });
  ASSERT_NE(mine, kept->end());
  EXPECT_EQ(mine->name, "plz-" + spec.attempt_id.to_string());
  DockerRuntime other({"/nowhere/plz-init", "somebody else"}, test_engine());
  EXPECT_TRUE(other.containers()->empty());
  ASSERT_TRUE(keeper.remove_container(mine->id));
  ASSERT_TRUE(keeper.remove_container(mine->id));
  EXPECT_TRUE(engine().list_containers({{kLabelAttempt, spec.attempt_id.to_string()}})->empty());
  wait_for(spec.paths);
  ASSERT_TRUE(runtime_->destroy(spec.paths));
}

TEST_P(DockerRuntimeTest, RunsTheImagesOwnCommand) {
  std::string own =
      build("FROM " + image() + "\nENV GREETING=hello\nENTRYPOINT [\"echo\", \"entry\"]\nCMD [\"own command\"]\n");
  auto spec = spec_for("");
  spec.environment.clear();
  spec.image = own;
  spec.command = {};
  EXPECT_EQ(run(spec).log, "entry own command\n");
  spec = again(spec);
  spec.command = {"mine"};
  EXPECT_EQ(run(spec).log, "entry mine\n");
  spec = again(spec);
  spec.command = {"-c", "echo $GREETING $0", "x"};
  spec.docker_run_args.text = R"({"entrypoint": "sh"})";
  EXPECT_EQ(run(spec).log, "hello x\n");
}

TEST_P(DockerRuntimeTest, SaysThatThereIsNothingToRun) {
  auto spec = spec_for("");
  spec.command = {};
  spec.image = build("FROM scratch\nCOPY Dockerfile /\n");
  auto started = runtime_->start(spec);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::invalid);
  EXPECT_THAT(started.error().message, HasSubstr("no command"));
}

TEST_P(DockerRuntimeTest, TellsWhatTheEngineRefuses) {
  auto spec = spec_for("true");
  spec.docker_run_args.text = R"({"runtime": "no-such-runtime"})";
  auto started = runtime_->start(spec);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::invalid);
  EXPECT_THAT(started.error().message, HasSubstr("no-such-runtime"));
  auto other = spec_for("true");
  other.docker_run_args.text = R"({"cpuset_cpus": "999"})";
  EXPECT_EQ(runtime_->start(other).error().code, ErrorCode::invalid);
  auto unknown = spec_for("true");
  unknown.image = "plz-test/no-such-image";
  EXPECT_THAT(runtime_->start(unknown).error().message, HasSubstr("no-such-image"));
  for (const auto& s : {spec, other, unknown})
    EXPECT_TRUE(engine().list_containers({{kLabelAttempt, s.attempt_id.to_string()}})->empty());
}

TEST_P(DockerRuntimeTest, OutputOfAnyUserIsTheWorkers) {
  struct Row {
    const char *arguments, *id;
  };
  // The last has no name in the image.
  for (const Row& row :
       {Row{R"({})", "0 0"}, Row{R"({"user": "daemon"})", "1 1"}, Row{R"({"user": "daemon:users"})", "1 100"},
        Row{R"({"user": "54321"})", "54321 0"}, Row{R"({"user": "54321:54322"})", "54321 54322"}}) {
    auto spec = spec_for(
        "echo $(id -u) $(id -g); cd $OUT && mkdir -m 700 d && echo x > d/f && chmod 4711 d/f && ln -s /etc d/l && "
        "mkdir -m 0 shut && echo 1 > ../measures/m && echo y > /src/new && chmod 0 d/f2 2>/dev/null; : > d/g && chmod "
        "0 d/g");
    spec.environment.emplace_back("OUT", job_path(spec, "output"));
    spec.docker_run_args.text = row.arguments;
    auto ended = run(spec);
    EXPECT_EQ(ended.log, std::string(row.id) + "\n") << row.arguments;
    for (const char* name : {"/output/d", "/output/d/f", "/output/d/l", "/output/shut", "/measures/m", "/output"}) {
      struct stat st {};
      ASSERT_EQ(lstat((spec.paths.directory + name).c_str(), &st), 0) << name;
      EXPECT_EQ(st.st_uid, geteuid()) << name;
      EXPECT_EQ(st.st_gid, getegid()) << name;
      if (name == std::string("/output/d/f")) {
        EXPECT_EQ(st.st_mode & 07777, 04711u);
      }
      if (name == std::string("/output/shut")) {
        EXPECT_EQ(st.st_mode & 07777, 0700u);
      }
    }
    struct stat g {};
    ASSERT_EQ(stat((spec.paths.output() + "/d/g").c_str(), &g), 0);
    EXPECT_EQ(g.st_mode & 07777, 0400u);
    struct stat etc {};
    ASSERT_EQ(stat("/etc", &etc), 0);
    EXPECT_EQ(etc.st_uid, 0u);
  }
}

TEST_P(DockerRuntimeTest, KnowsTheUserByTheImagesOwnFiles) {
  auto spec = spec_for("echo $HOME; id -G; touch code.txt; test -w /src && echo may write");
  spec.docker_run_args.text = R"({"user": "daemon", "group_add": ["audio", 4321]})";
  EXPECT_EQ(run(spec).log, "/usr/sbin\n1 29 4321\nmay write\n");
  spec = again(spec);
  spec.docker_run_args.text = R"({"user": "daemon", "environment": {"HOME": "/elsewhere"}})";
  EXPECT_THAT(run(spec).log, testing::StartsWith("/elsewhere\n"));
  spec = again(spec);
  spec.docker_run_args.text = R"({"user": "nobody-knows"})";
  auto ended = run(spec);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_THAT(ended.report.outcome.reason, HasSubstr("no user nobody-knows"));
  EXPECT_THAT(ended.log, HasSubstr("no user nobody-knows"));
}

TEST_P(DockerRuntimeTest, RunsWithoutTheCapabilitiesThatItWouldLike) {
  for (const char* arguments :
       {R"({"cap_drop": ["ALL"]})", R"({"cap_drop": ["ALL"], "user": "1234:1234"})",
        R"({"cap_drop": ["CAP_SETUID"], "user": "1234", "security_opt": ["no-new-privileges"]})"}) {
    auto spec =
        spec_for("grep CapEff /proc/self/status | cut -f 2; echo x > $OUT/f; echo changed > code.txt && echo done");
    spec.environment.emplace_back("OUT", job_path(spec, "output"));
    spec.docker_run_args.text = arguments;
    auto ended = run(spec);
    EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::succeeded)
        << arguments << ended.report.outcome.reason << ended.log;
    EXPECT_EQ(ended.log, "0000000000000000\ndone\n") << arguments;
    EXPECT_EQ(read_file(spec.paths.output() + "/f").value_or(""), "x\n");
  }
}

TEST_P(DockerRuntimeTest, TakesAReadOnlyRoot) {
  auto spec =
      spec_for("touch /x 2>/dev/null || echo root is read-only; echo y > code.txt && echo y > $OUT/f && echo written");
  spec.environment.emplace_back("OUT", job_path(spec, "output"));
  spec.docker_run_args.text = R"({"read_only": true, "tmpfs": {"/tmp": ""}})";
  EXPECT_EQ(run(spec).log, "root is read-only\nwritten\n");
}

TEST_P(DockerRuntimeTest, HandsOnWhatIsConfigured) {
  auto spec = spec_for(
      "hostname; pwd; echo $A; ulimit -n; df -k /dev/shm | tail -1 | tr -s ' ' | cut -d ' ' -f 2; cat "
      "/proc/sys/kernel/msgmax");
  spec.docker_run_args.text =
      R"({"hostname": "box", "working_dir": "/tmp/new", "environment": {"A": "b c"}, "shm_size": "128m",
    "ulimits": [{"name": "nofile", "soft": 333, "hard": 333}], "sysctls": {"kernel.msgmax": 12345}, "init": true})";
  EXPECT_EQ(run(spec).log, "box\n/tmp/new\nb c\n333\n131072\n12345\n");
}

TEST_P(DockerRuntimeTest, HasNoNetworkWhereNoneIsWanted) {
  auto spec = spec_for("ls /sys/class/net");
  spec.network = false;
  EXPECT_EQ(run(spec).log, "lo\n");
}

TEST_P(DockerRuntimeTest, StopsWithTheConfiguredSignal) {
  auto spec = spec_for("trap 'echo interrupted; exit 8' INT; echo ready; while :; do sleep 0.01; done");
  spec.docker_run_args.text = R"({"stop_signal": "SIGINT"})";
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "ready\n");
  ASSERT_TRUE(runtime_->stop(spec.paths, 60s));
  EXPECT_EQ(wait_for(spec.paths).report.outcome.exit_status, 8);
}

TEST_P(DockerRuntimeTest, TellsThatAJobKilledEverythingItCould) {
  auto spec = spec_for("echo before; kill -9 -1; echo after");
  auto ended = run(spec);
  EXPECT_THAT(ended.log, testing::StartsWith("before\n"));
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::succeeded);
}

TEST_P(DockerRuntimeTest, KeepsTheRecordsOfAJobThatRemovesEverything) {
  auto spec = spec_for("rm -rf /plz/attempt/* /src/* 2>/dev/null; echo still here; exit 3");
  auto ended = run(spec);
  EXPECT_EQ(ended.log, "still here\n");
  EXPECT_EQ(ended.report.outcome.exit_status, 3);
}

TEST_P(DockerRuntimeTest, FollowsTheEnginesLogWhereADriverIsConfigured) {
  auto spec = spec_for("echo out; echo err >&2; pwd; exit 5");
  spec.docker_run_args.text = R"({"log_config": {"type": "json-file"}})";
  auto ended = run(spec);
  EXPECT_EQ(ended.report.outcome.exit_status, 5);
  EXPECT_THAT(ended.log, HasSubstr("out\n"));
  EXPECT_THAT(ended.log, HasSubstr("err\n"));
  spec = again(spec);
  spec.command = {"no-such-command"};
  ended = run(spec);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(ended.report.outcome.exit_status, 127);
  EXPECT_THAT(ended.report.outcome.reason, HasSubstr("no-such-command"));
}

TEST_P(DockerRuntimeTest, StopsAJobWhoseLogTheEngineHas) {
  auto spec = spec_for("trap 'echo terminated; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  spec.docker_run_args.text = R"({"log_config": {"type": "json-file"}})";
  ASSERT_TRUE(runtime_->start(spec));
  std::jthread stopper([&] {
    await_log(spec.paths, "ready\n");
    EXPECT_TRUE(runtime_->stop(spec.paths, 60s));
  });
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.exit_status, 7);
  EXPECT_THAT(ended.log, testing::EndsWith("terminated\n"));
}

}  // namespace
}  // namespace plz
