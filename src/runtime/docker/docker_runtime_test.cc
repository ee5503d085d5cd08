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

class DockerRuntimeTest : public DockerTest {
 protected:
  // What Docker's own command says of the attempt's container.
  std::string inspected(const LaunchSpec& spec, const std::string& format) {
    std::string command = fmt::format("docker inspect --format '{}' plz-{}", format, spec.attempt_id.to_string());
    FILE* said = popen(command.c_str(), "re");
    char text[4096];
    size_t size = fread(text, 1, sizeof text, said);
    EXPECT_EQ(pclose(said), 0);
    return std::string(text, size);
  }
};

// "pid:[4026531836]"
std::string namespace_of_ours(const std::string& kind) {
  char name[64];
  ssize_t size = readlink(("/proc/self/ns/" + kind).c_str(), name, sizeof name);
  return std::string(name, size > 0 ? static_cast<size_t>(size) : 0);
}

// The set in the first line of a process's status that is given: "CapEff:\t00000000a80425fb".
uint64_t capability_set(const std::string& status) {
  size_t colon = status.find(':');
  return colon == std::string::npos ? 0 : std::stoull(status.substr(colon + 1), nullptr, 16);
}

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
  auto spec = spec_for(
      "touch /x 2>/dev/null || echo root is read-only; echo y > code.txt && echo y > $OUT/f && echo written; "
      "df /tmp | tail -1 | cut -d ' ' -f 1; echo temporary > /tmp/t && cat /tmp/t");
  spec.environment.emplace_back("OUT", job_path(spec, "output"));
  spec.docker_run_args.text = R"({"read_only": true, "tmpfs": {"/tmp": ""}})";
  EXPECT_EQ(run(spec).log, "root is read-only\nwritten\ntmpfs\ntemporary\n");
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

TEST_P(DockerRuntimeTest, SharesTheNamespacesThatAreConfigured) {
  auto spec =
      spec_for("for kind in pid ipc net; do readlink /proc/self/ns/$kind; done; sleep 300 & echo $! > $OUT/pid");
  spec.environment.emplace_back("OUT", job_path(spec, "output"));
  spec.docker_run_args.text = R"({"pid_mode": "host", "ipc_mode": "host", "network_mode": "host"})";
  std::string ours;
  for (const char* kind : {"pid", "ipc", "net"}) ours += namespace_of_ours(kind) + "\n";
  EXPECT_EQ(run(spec).log, ours);
  // plz-init is not the first process there: the end of what the job began is its care alone.
  std::string sleeper = read_file(spec.paths.output() + "/pid").value_or("");
  EXPECT_FALSE(path_exists("/proc/" + sleeper.substr(0, sleeper.find('\n')) + "/exe"));
}

TEST_P(DockerRuntimeTest, MountsWhatIsConfigured) {
  ASSERT_TRUE(make_directories(directory_ + "/data"));
  ASSERT_TRUE(write_file_atomically(directory_ + "/data/file", "given\n", 0644, Sync::no));
  auto spec = spec_for(
      "cat /volume/file /mount/file; echo more > /volume/file; echo x 2>/dev/null > /mount/file || echo is read-only;"
      "head -c 2 /dev/mine | od -An -tx1; cat /words");
  spec.docker_run_args.text = fmt::format(
      R"({{"volumes": {{"{0}/data": {{"bind": "/volume", "mode": "rw"}}, "{0}/data/file": {{"bind": "/words", "mode": "ro"}}}},
    "mounts": [{{"target": "/mount", "source": "{0}/data", "type": "bind", "read_only": true}}],
    "devices": ["/dev/zero:/dev/mine:r"]}})",
      directory_);
  EXPECT_EQ(run(spec).log, "given\ngiven\nis read-only\n 00 00\nmore\n");
}

TEST_P(DockerRuntimeTest, GivesThePrivilegesThatAreConfigured) {
  constexpr char kScript[] = "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status | tr -s '\\t\\n' '  '; id -G";
  auto usual = spec_for(kScript), special = spec_for(kScript);
  special.docker_run_args.text =
      R"({"cap_add": ["SYS_PTRACE"], "cap_drop": ["MKNOD"], "security_opt": ["no-new-privileges"], "group_add": [4321]})";
  constexpr uint64_t kMknod = 1u << 27, kPtrace = 1u << 19, kAdmin = 1u << 21;
  const std::string usual_log = run(usual).log, special_log = run(special).log;
  const uint64_t few = capability_set(usual_log);
  EXPECT_EQ(few & (kMknod | kPtrace | kAdmin), kMknod) << usual_log;
  EXPECT_EQ(capability_set(special_log), (few & ~kMknod) | kPtrace) << special_log;
  EXPECT_THAT(special_log, HasSubstr("NoNewPrivs: 1"));
  EXPECT_THAT(special_log, HasSubstr(" 4321"));
}

// All of the machine's, where the engine itself has them all.
TEST_P(DockerRuntimeTest, GivesEveryPrivilegeIfConfigured) {
  auto spec = spec_for("grep ^CapEff /proc/self/status");
  spec.docker_run_args.text = R"({"privileged": true})";
  const uint64_t all = (uint64_t{2} << std::stoi(read_file("/proc/sys/kernel/cap_last_cap").value())) - 1;
  const std::string status = read_file("/proc/self/status").value();
  if (capability_set(status.substr(status.find("CapBnd"))) == all) {
    EXPECT_EQ(capability_set(run(spec).log), all);
  } else {
    auto refused = runtime_->start(spec);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("unable to apply caps"));
  }
}

TEST_P(DockerRuntimeTest, NamesThatAreConfiguredAreResolved) {
  auto spec = spec_for("grep imaginary /etc/hosts | tr '\\t' ' '; grep ^nameserver /etc/resolv.conf");
  spec.docker_run_args.text = R"({"extra_hosts": {"imaginary": "192.0.2.7"}, "dns": ["192.0.2.1"]})";
  EXPECT_EQ(run(spec).log, "192.0.2.7 imaginary\nnameserver 192.0.2.1\n");
}

TEST_P(DockerRuntimeTest, LimitsWhatIsConfigured) {
  auto spec = spec_for("echo ready; sleep 300");
  spec.docker_run_args.text =
      R"({"mem_limit": "256m", "memswap_limit": "512m", "nano_cpus": 500000000, "cpu_shares": 77,
    "cpuset_cpus": "0", "labels": {"team": "blue"}})";
  auto started = runtime_->start(spec);
  ASSERT_TRUE(started) << started.error().message;
  await_log(spec.paths, "ready\n");
  EXPECT_EQ(inspected(spec,
                      "{{with .HostConfig}}{{.Memory}} {{.MemorySwap}} {{.NanoCpus}} {{.CpuShares}} {{.CpusetCpus}}"
                      "{{end}} {{.Config.Labels.team}}"),
            "268435456 536870912 500000000 77 0 blue\n");
}

TEST_P(DockerRuntimeTest, TellsWhatTheEngineDoesNotHave) {
  auto other_machine = spec_for("true"), accelerated = spec_for("true");
  other_machine.docker_run_args.text = R"({"platform": "linux/s390x"})";
  auto refused = runtime_->start(other_machine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_THAT(refused.error().message, HasSubstr("s390x"));
  accelerated.docker_run_args.text =
      R"({"device_requests": [{"Driver": "imaginary", "Count": -1, "Capabilities": [["gpu"]]}]})";
  refused = runtime_->start(accelerated);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_THAT(refused.error().message, HasSubstr("could not select device driver"));
}

TEST_P(DockerRuntimeTest, HasNoNetworkWhereNoneIsWanted) {
  auto spec = spec_for("ls /sys/class/net");
  spec.network = false;
  EXPECT_EQ(run(spec).log, "lo\n");
}

TEST_P(DockerRuntimeTest, JoinsTheNetworkThatIsConfigured) {
  const std::string network = fmt::format("plz-test-network-{}", getpid());
  ASSERT_EQ(system(("docker network create " + network + " >/dev/null").c_str()), 0);
  auto spec = waiting_spec(fmt::format("ls /sys/class/net; {}", kAwaitGo));
  spec.docker_run_args.text = fmt::format(R"({{"network": "{}"}})", network);
  auto started = runtime_->start(spec);
  EXPECT_TRUE(started) << started.error().message;
  if (started) {
    EXPECT_EQ(inspected(spec, "{{range $name, $network := .NetworkSettings.Networks}}{{$name}}{{end}}"),
              network + "\n");
    let_go(spec);
    EXPECT_EQ(wait_for(spec.paths).log, "eth0\nlo\n");
  }
  EXPECT_TRUE(runtime_->destroy(spec.paths));
  EXPECT_EQ(system(("docker network rm " + network + " >/dev/null").c_str()), 0);
}

// Neither while it runs nor in the end is anything checked.
TEST_P(DockerRuntimeTest, AnImageThatChecksItsHealthIsNotChecked) {
  auto spec = waiting_spec(fmt::format("{}echo well", kAwaitGo));
  spec.image = build("FROM " + image() + "\nHEALTHCHECK --interval=1s --retries=1 CMD false\n");
  ASSERT_TRUE(runtime_->start(spec));
  EXPECT_EQ(inspected(spec, "{{.State.Status}} {{json .Config.Healthcheck.Test}}"), "running [\"NONE\"]\n");
  EXPECT_THAT(inspected(spec, "{{json .State}}"), testing::Not(HasSubstr("Health")));
  let_go(spec);
  EXPECT_EQ(wait_for(spec.paths).log, "well\n");
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
  auto spec = spec_for("echo out; echo err >&2; cat code.txt; exit 5");
  spec.docker_run_args.text = R"({"log_config": {"type": "json-file"}})";
  auto ended = run(spec);
  EXPECT_EQ(ended.report.outcome.exit_status, 5);
  EXPECT_THAT(ended.log, HasSubstr("out\n"));
  EXPECT_THAT(ended.log, HasSubstr("err\n"));
  EXPECT_EQ(ended.log.size(), std::string("out\nerr\nhello").size()) << ended.log;
  EXPECT_THAT(ended.log, HasSubstr("hello"));
  spec = again(spec);
  spec.command = {"no-such-command"};
  ended = run(spec);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(ended.report.outcome.exit_status, 127);
  EXPECT_THAT(ended.report.outcome.reason, HasSubstr("no-such-command"));
}

TEST_P(DockerRuntimeTest, CodeIsAPrivateWritableCopyWhereADriverIsConfigured) {
  ASSERT_TRUE(make_directories(directory_ + "/code/shut"));
  for (const char* name : {"/code/shut/script", "/code/shut/fixed"})
    ASSERT_TRUE(write_file_atomically(directory_ + name, "echo from a script\n", 0600, Sync::no));
  ASSERT_EQ(chmod((directory_ + "/code/shut/script").c_str(), 0700), 0);
  ASSERT_EQ(chmod((directory_ + "/code/shut/fixed").c_str(), 0400), 0);
  ASSERT_EQ(chmod((directory_ + "/code/shut").c_str(), 0500), 0);
  ASSERT_EQ(symlink("code.txt", (directory_ + "/code/link").c_str()), 0);
  struct stat code {};
  ASSERT_EQ(stat((directory_ + "/code/code.txt").c_str(), &code), 0);
  for (const char* user : {"0", "1000", "daemon"}) {
    auto spec = spec_for(
        "cat code.txt; stat -c %Y code.txt; echo changed > code.txt; cat link; mkdir new && echo x > new/file; "
        "shut/script; cat shut/fixed; stat -c %a shut shut/fixed; cp new/file $OUT/f");
    spec.environment.emplace_back("OUT", job_path(spec, "output"));
    spec.docker_run_args.text = fmt::format(
        R"({{"log_config": {{"type": "json-file"}}, "user": "{}", "security_opt": ["no-new-privileges"]}})", user);
    auto ended = run(spec);
    EXPECT_EQ(ended.log, fmt::format("hello{}\nchanged\nfrom a script\necho from a script\n555\n444\n", code.st_mtime))
        << user;
    EXPECT_EQ(read_file(spec.paths.output() + "/f"), "x\n") << user;
  }
  EXPECT_EQ(*read_file(directory_ + "/code/code.txt"), "hello");
  EXPECT_EQ(*list_directory(directory_ + "/code"), (std::vector<std::string>{"code.txt", "link", "shut"}));
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
