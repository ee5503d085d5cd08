#include "runtime/runtime_contract_test.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>

#include "engine/missing_engine_test.h"
#include "init/contract.h"
#include "os/cgroup.h"
#include "os/file.h"
#include "os/own_process.h"

namespace plz {

using namespace std::chrono_literals;

std::string runtime_kind_name(const testing::TestParamInfo<RuntimeKind>& info) { return info.param.name; }

namespace {

constexpr auto kPatience = 90s;

// True once `condition` holds; looks at it every few milliseconds, since another program makes it so.
bool eventually(const std::function<bool()>& condition) {
  auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return condition();
}

bool write_kernel_file(const std::string& path, const std::string& text) {
  auto fd = open_file(path, O_WRONLY);
  return fd && write_all(fd->get(), text);
}

pid_t lock_holder(const std::string& path) {
  auto fd = open_file(path, O_RDWR);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  if (!fd || fcntl(fd->get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
  return lock.l_pid;
}

// Lines whose number tells whether one is lost or doubled.
std::string numbered_lines(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += fmt::format("{}\n", i);
  return text;
}

}  // namespace

void RuntimeContract::SetUp() {
  std::string pattern = testing::TempDir() + "plz-runtime-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  directory_ = pattern;
  ASSERT_TRUE(make_directories(directory_ + "/code"));
  ASSERT_TRUE(write_file_atomically(directory_ + "/code/code.txt", "hello", 0644, Sync::no));
  runtime_ = GetParam().make(directory_);
  auto fingerprint = runtime_->fingerprint();
  if (!fingerprint.available && GetParam().name == "docker") PLZ_SKIP_FOR_WANT_OF("engine: " + fingerprint.detail);
  if (!fingerprint.available) GTEST_SKIP() << fingerprint.detail;
}

void RuntimeContract::TearDown() {
  // A container outlives its test unless it is removed.
  if (runtime_ && !GetParam().image.empty()) {
    for (const AttemptPaths& paths : made_) {
      auto destroyed = runtime_->destroy(paths);
      EXPECT_TRUE(destroyed) << destroyed.error().message;
    }
  }
  runtime_.reset();
  auto removed = remove_tree(directory_);
  EXPECT_TRUE(removed) << removed.error().message;
}

LaunchSpec RuntimeContract::spec_for(const std::string& script) {
  LaunchSpec spec;
  spec.paths.directory = fmt::format("{}/attempt{}", directory_, attempts_++);
  made_.push_back(spec.paths);
  EXPECT_TRUE(make_directories(spec.paths.output()));
  EXPECT_TRUE(make_directories(spec.paths.measures()));
  spec.attempt_id = AttemptId::make(SystemClock());
  spec.execution_id = ExecutionId::make(SystemClock());
  spec.image = GetParam().image;
  spec.command = {"sh", "-c", script};
  spec.environment = {{"PATH", "/usr/bin:/bin"}, {"GREETING", "hi there"}};
  spec.code_tree = directory_ + "/code";
  spec.mounts = {{spec.paths.output(), job_path(spec, "output"), true},
                 {spec.paths.measures(), job_path(spec, "measures"), true}};
  return spec;
}

LaunchSpec RuntimeContract::waiting_spec(const std::string& script) {
  LaunchSpec spec = spec_for(script);
  spec.environment.emplace_back("OUT", job_path(spec, "output"));
  return spec;
}

void RuntimeContract::let_go(const LaunchSpec& spec) {
  ASSERT_TRUE(write_file_atomically(spec.paths.output() + "/go", "", 0644, Sync::no));
}

RuntimeContract::Ended RuntimeContract::run(const LaunchSpec& spec) {
  auto started = runtime_->start(spec);
  EXPECT_TRUE(started) << started.error().message;
  if (!started) return {};
  return wait_for(spec.paths);
}

RuntimeContract::Ended RuntimeContract::wait_for(const AttemptPaths& paths) {
  auto report = runtime_->wait(paths, {});
  EXPECT_TRUE(report) << report.error().message;
  if (!report) return {};
  std::string log = log_of(paths);
  // For the report of a test that failed of that.
  if (log.empty() && !report->outcome.reason.empty())
    std::cout << "nothing was logged: " << report->outcome.reason << '\n';
  return {*report, log};
}

std::string RuntimeContract::log_of(const AttemptPaths& paths) {
  auto log = read_file(paths.log(), 1u << 30);
  return log.value_or("");
}

void RuntimeContract::await_log(const AttemptPaths& paths, const std::string& text) {
  EXPECT_TRUE(eventually([&] { return log_of(paths).find(text) != std::string::npos; })) << log_of(paths);
}

void RuntimeContract::kill_outer_half(const AttemptPaths& paths) {
  std::string lock = join_path(paths.directory, init::kLockFile);
  ASSERT_TRUE(eventually([&] { return lock_holder(lock) > 0; }));
  ASSERT_EQ(kill(lock_holder(lock), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return lock_holder(lock) == 0; }));
}

bool RuntimeContract::has_outer_half() {
  if (GetParam().has_outer_half) return true;
  [] { GTEST_SKIP() << "plz-init is the first process of the container, and goes with it"; }();
  return false;
}

void RuntimeContract::on_small_disk(const std::function<void()>& test) {
  if (!GetParam().sees_mounts) GTEST_SKIP() << "the engine does not see what only this process has mounted";
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    bool mounted = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_kernel_file("/proc/self/setgroups", "deny") &&
                   write_kernel_file("/proc/self/gid_map", fmt::format("0 {} 1", gid)) &&
                   write_kernel_file("/proc/self/uid_map", fmt::format("0 {} 1", uid)) &&
                   mount("plz-test", directory_.c_str(), "tmpfs", 0, "size=16m") == 0;
    if (!mounted) _exit(77);
    EXPECT_TRUE(make_directories(directory_ + "/code"));
    runtime_ = GetParam().make(directory_);
    test();
    _exit(HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no file system can be mounted here";
  EXPECT_EQ(status, 0);
}

void RuntimeContract::start_in_worker_that_dies(const LaunchSpec& spec) {
  pid_t worker = fork();
  ASSERT_GE(worker, 0);
  if (worker == 0) {
    auto runtime = GetParam().make(directory_);
    _exit(runtime->start(spec) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(worker, &status, 0), worker);
  ASSERT_EQ(status, 0);
}

TEST_P(RuntimeContract, ReportsSuccessWithItsTimes) {
  auto before = SystemClock().now();
  auto ended = run_script("echo $GREETING; echo error >&2; cat code.txt; pwd");
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::succeeded) << ended.report.outcome.reason;
  EXPECT_EQ(ended.report.outcome.exit_status, 0);
  EXPECT_TRUE(ended.log.starts_with("hi there\nerror\nhello")) << ended.log;
  ASSERT_TRUE(ended.report.started && ended.report.ended);
  EXPECT_LE(before, *ended.report.started);
  EXPECT_LE(*ended.report.started, *ended.report.ended);
  EXPECT_LE(*ended.report.ended, SystemClock().now());
}

TEST_P(RuntimeContract, ReportsAnExitStatus) {
  auto ended = run_script("exit 3");
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::exited);
  EXPECT_EQ(ended.report.outcome.exit_status, 3);
}

TEST_P(RuntimeContract, ReportsASignal) {
  auto ended = run_script("kill -SEGV $$");
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::signalled);
  EXPECT_EQ(ended.report.outcome.signal, SIGSEGV);
  EXPECT_EQ(ended.report.outcome.exit_status, 128 + SIGSEGV);
  EXPECT_FALSE(ended.report.outcome.out_of_memory);
}

TEST_P(RuntimeContract, ReportsACommandThatIsNotFound) {
  auto spec = spec_for("");
  spec.command = {"nosuchcmd", "x"};
  auto ended = run(spec);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(ended.report.outcome.exit_status, 127);
  EXPECT_EQ(ended.report.outcome.reason, "nosuchcmd: command not found");
  EXPECT_EQ(ended.log, "plz: nosuchcmd: command not found\n");
  EXPECT_FALSE(ended.report.started);
}

TEST_P(RuntimeContract, ReportsACommandThatIsNotExecutable) {
  auto spec = spec_for("");
  spec.command = {"./code.txt"};
  auto ended = run(spec);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(ended.report.outcome.exit_status, 126);
  EXPECT_EQ(ended.log, "plz: ./code.txt: Permission denied\n");
}

TEST_P(RuntimeContract, RunsAScriptWithoutAFirstLine) {
  ASSERT_TRUE(write_file_atomically(directory_ + "/code/script", "echo from script $1\n", 0755, Sync::no));
  ASSERT_EQ(chmod((directory_ + "/code/script").c_str(), 0755), 0);
  auto spec = spec_for("");
  spec.command = {"./script", "one"};
  EXPECT_EQ(run(spec).log, "from script one\n");
}

TEST_P(RuntimeContract, RefusesACommandThatCannotBe) {
  auto spec = spec_for("");
  if (GetParam().image.empty()) {
    spec.command = {};
    EXPECT_EQ(runtime_->start(spec).error().code, ErrorCode::invalid);
  }
  spec.command = {std::string("a\0b", 3)};
  EXPECT_EQ(runtime_->start(spec).error().code, ErrorCode::invalid);
  EXPECT_EQ(*runtime_->recover(spec.paths), AttemptPhase::not_started);
}

TEST_P(RuntimeContract, KeepsEveryByteOfABigLog) {
  constexpr uint64_t kBytes = 64u << 20;
  auto ended = run_script("yes 0123456789abcde | head -c 67108864");
  ASSERT_EQ(ended.log.size(), kBytes);
  bool exact = true;
  for (size_t i = 0; i < ended.log.size(); i += 16) exact = exact && ended.log.compare(i, 16, "0123456789abcde\n") == 0;
  EXPECT_TRUE(exact);
}

TEST_P(RuntimeContract, KeepsAnUnterminatedLastLineAndBinaryBytes) {
  EXPECT_EQ(run_script("printf 'a\\n\\000\\377b'").log, std::string("a\n\0\377b", 5));
}

TEST_P(RuntimeContract, LogSurvivesTheOuterHalf) {
  if (!has_outer_half()) return;
  auto spec = waiting_spec(
      fmt::format("i=1; while [ $i -le 60000 ]; do echo $i; i=$((i+1)); [ $i -ne 30000 ] || {}done", kAwaitGo));
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "\n100\n");
  kill_outer_half(spec.paths);
  EXPECT_EQ(*runtime_->recover(spec.paths), AttemptPhase::running);
  await_log(spec.paths, "\n10000\n");
  kill_outer_half(spec.paths);
  let_go(spec);
  // Without recover: whoever waits puts a new one in place.
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::succeeded);
  EXPECT_TRUE(ended.log == numbered_lines(60000));
}

TEST_P(RuntimeContract, StartsAfterAnOuterHalfThatDiedWhileItLaunched) {
  if (!has_outer_half()) return;
  LaunchSpec spec = spec_for("echo begun");
  // As the child that it leaves: the pipe is held, and nothing was executed.
  const std::string pipe = spec.paths.directory + "/" + init::kLogPipe;
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  UniqueFd held(open(pipe.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(held);
  ASSERT_TRUE(runtime_->start(spec));
  held.reset();
  Ended ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::succeeded) << ended.report.outcome.reason;
  EXPECT_EQ(ended.log, "begun\n");
}

TEST_P(RuntimeContract, JobEndsWhileNobodyCarriesItsLog) {
  if (!has_outer_half()) return;
  auto spec = waiting_spec(fmt::format("echo ready; {}echo over; exit 4", kAwaitGo));
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "ready\n");
  kill_outer_half(spec.paths);
  let_go(spec);
  std::string exit_record = join_path(spec.paths.directory, init::kExitFile);
  ASSERT_TRUE(eventually([&] { return read_file(exit_record).value_or("").ends_with("end\n"); }));
  auto second = GetParam().make(directory_);
  EXPECT_NE(*second->recover(spec.paths), AttemptPhase::not_started);
  auto report = second->wait(spec.paths, {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome.exit_status, 4);
  EXPECT_EQ(log_of(spec.paths), "ready\nover\n");
}

TEST_P(RuntimeContract, AttemptSurvivesTheWorker) {
  auto spec = waiting_spec(fmt::format("echo ready; {}echo over; exit 5", kAwaitGo));
  start_in_worker_that_dies(spec);
  EXPECT_EQ(*runtime_->recover(spec.paths), AttemptPhase::running);
  let_go(spec);
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.exit_status, 5);
  EXPECT_EQ(ended.log, "ready\nover\n");
  EXPECT_EQ(*runtime_->recover(spec.paths), AttemptPhase::ended);
  // Asked again, it says the same.
  EXPECT_EQ(runtime_->wait(spec.paths, {})->outcome, ended.report.outcome);
}

TEST_P(RuntimeContract, StartsNothingTwice) {
  auto spec = spec_for("echo once; sleep 0.2");
  start_in_worker_that_dies(spec);
  ASSERT_TRUE(runtime_->start(spec));
  ASSERT_TRUE(runtime_->start(spec));
  EXPECT_EQ(wait_for(spec.paths).log, "once\n");
}

TEST_P(RuntimeContract, KnowsThatNothingWasStarted) {
  auto spec = spec_for("true");
  EXPECT_EQ(*runtime_->recover(spec.paths), AttemptPhase::not_started);
  EXPECT_EQ(runtime_->wait(spec.paths, {}).error().code, ErrorCode::not_found);
}

TEST_P(RuntimeContract, WaitIsCancelled) {
  auto spec = spec_for("echo ready; sleep 60");
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "ready\n");
  std::stop_source stop;
  std::jthread canceller([&] { stop.request_stop(); });
  EXPECT_EQ(runtime_->wait(spec.paths, stop.get_token()).error().code, ErrorCode::cancelled);
  ASSERT_TRUE(runtime_->stop(spec.paths, 0ms));
  EXPECT_EQ(wait_for(spec.paths).report.outcome.signal, SIGKILL);
}

TEST_P(RuntimeContract, StopAsksFirst) {
  auto spec = spec_for("trap 'echo terminated; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "ready\n");
  ASSERT_TRUE(runtime_->stop(spec.paths, 60s));
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.exit_status, 7);
  EXPECT_TRUE(ended.log.ends_with("terminated\n")) << ended.log;
}

TEST_P(RuntimeContract, StopKillsAfterItsGrace) {
  auto spec = spec_for("trap 'echo ignored' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(runtime_->start(spec));
  await_log(spec.paths, "ready\n");
  ASSERT_TRUE(runtime_->stop(spec.paths, 60s));
  await_log(spec.paths, "ignored\n");
  auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(runtime_->stop(spec.paths, 300ms));
  auto ended = wait_for(spec.paths);
  EXPECT_GE(std::chrono::steady_clock::now() - before, 290ms);
  EXPECT_EQ(ended.report.outcome.signal, SIGKILL);
  // Asked twice, the job was told once.
  EXPECT_EQ(ended.log.find("ignored\n"), ended.log.rfind("ignored\n")) << ended.log;
}

TEST_P(RuntimeContract, StopWorksWithoutOuterHalfAndWorker) {
  if (!has_outer_half()) return;
  auto spec = spec_for("echo ready; sleep 60");
  start_in_worker_that_dies(spec);
  await_log(spec.paths, "ready\n");
  kill_outer_half(spec.paths);
  ASSERT_TRUE(runtime_->stop(spec.paths, 10s));
  auto ended = wait_for(spec.paths);
  EXPECT_EQ(ended.report.outcome.signal, SIGTERM);
}

TEST_P(RuntimeContract, StopAtOnceAfterStartIsNotLost) {
  auto spec = spec_for("sleep 60");
  ASSERT_TRUE(runtime_->start(spec));
  ASSERT_TRUE(runtime_->stop(spec.paths, 10s));
  auto ended = wait_for(spec.paths);
  EXPECT_FALSE(ended.report.outcome.succeeded());
}

TEST_P(RuntimeContract, StopAfterTheEndIsNoError) {
  auto spec = spec_for("true");
  run(spec);
  EXPECT_TRUE(runtime_->stop(spec.paths, 0ms));
  EXPECT_EQ(runtime_->wait(spec.paths, {})->outcome.kind, OutcomeKind::succeeded);
}

TEST_P(RuntimeContract, DaemonsEndWithTheCommand) {
  std::string daemon = "setsid sh -c 'while :; do date > $OUT/alive; sleep 0.01; done' ";
  auto spec =
      spec_for(daemon + ">/dev/null 2>&1 & " + daemon + "& while [ ! -e $OUT/alive ]; do sleep 0.01; done; echo over");
  spec.environment.emplace_back("OUT", job_path(spec, "output"));
  auto ended = run(spec);
  EXPECT_EQ(ended.report.outcome.exit_status, 0);
  EXPECT_EQ(ended.log, "over\n");
  // Nothing writes any more: the file stays away once it is removed.
  ASSERT_EQ(unlink((spec.paths.output() + "/alive").c_str()), 0);
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(path_exists(spec.paths.output() + "/alive"));
}

TEST_P(RuntimeContract, JobMayCloseItsOutput) {
  auto ended = run_script("echo before; exec >&- 2>&-; sleep 0.1; exit 6");
  EXPECT_EQ(ended.report.outcome.exit_status, 6);
  EXPECT_EQ(ended.log, "before\n");
}

TEST_P(RuntimeContract, TruncatingStandardOutputLosesNothing) {
  EXPECT_EQ(run_script("echo one; echo two > /dev/stdout; echo three >> /dev/stderr; : > /dev/stdout").log,
            "one\ntwo\nthree\n");
}

TEST_P(RuntimeContract, StandardInputIsEmpty) { EXPECT_EQ(run_script("cat; echo $?").log, "0\n"); }

TEST_P(RuntimeContract, SignalsAreAsInAFreshShell) {
  EXPECT_EQ(run_script("grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f 2").log,
            "0000000000000000\n0000000000000000\n");
}

TEST_P(RuntimeContract, GivesTheJobItsUmask) {
  EXPECT_EQ(run_script("umask").log, "0022\n");
  LaunchSpec spec = spec_for("umask; mkdir d; : > d/f; stat -c %a d d/f");
  spec.attributes.umask = 077;
  EXPECT_EQ(run(spec).log, "0077\n700\n600\n");
}

TEST_P(RuntimeContract, GivesTheJobItsAttributes) {
  if (!GetParam().image.empty()) GTEST_SKIP() << "a container's are the engine's";
  const ProcessAttributes own = own_process_attributes();
  const std::string one_processor = own.affinity.substr(0, own.affinity.find_first_of(",-"));
  const int64_t niceness = std::min<int64_t>(own.niceness.value_or(0) + 3, 19);
  LaunchSpec spec = spec_for(
      "ulimit -n; ulimit -Hn; nice; grep Cpus_allowed_list /proc/self/status | cut -f 2; cat /proc/self/oom_score_adj");
  spec.attributes.limits = {{"nofile", {50, 100}}};
  spec.attributes.affinity = one_processor;
  spec.attributes.niceness = niceness;
  spec.attributes.oom_score = 700;
  const Ended ended = run(spec);
  EXPECT_EQ(ended.log, fmt::format("50\n100\n{}\n{}\n700\n", niceness, one_processor));
  EXPECT_EQ(ended.report.outcome.reason, run_script("true").report.outcome.reason);
}

TEST_P(RuntimeContract, LimitsAreTheJobsAlone) {
  if (!GetParam().image.empty()) GTEST_SKIP() << "a container's are the engine's";
  LaunchSpec spec = spec_for("echo done");
  spec.attributes.limits = {{"nproc", {0, 0}}, {"fsize", {0, 0}}, {"sigpending", {0, 0}}};
  EXPECT_EQ(run(spec).log, "done\n");
}

TEST_P(RuntimeContract, SaysWhatItCannotGive) {
  if (!GetParam().image.empty()) GTEST_SKIP() << "a container's are the engine's";
  // Not even root may have more files than the kernel allows.
  LaunchSpec spec = spec_for("ulimit -n");
  spec.attributes.limits = {{"nofile", {64, uint64_t{1} << 40}}};
  const Ended ended = run(spec);
  EXPECT_EQ(ended.log, "64\n");
  EXPECT_NE(ended.report.outcome.reason.find("could not be given: nofile 64:1099511627776 (it has 64:"),
            std::string::npos)
      << ended.report.outcome.reason;
  EXPECT_TRUE(ended.report.outcome.succeeded());
}

TEST_P(RuntimeContract, NoDescriptorsAreLeftOpen) {
  EXPECT_EQ(run_script("exec ls /proc/self/fd").log, "0\n1\n2\n3\n");
}

TEST_P(RuntimeContract, OutputIsTheWorkersToRead) {
  auto spec = spec_for("echo 1 > $OUT/a; mkdir $OUT/d; rm -rf $OUT 2>/dev/null; mkdir -p $OUT; echo 2 > $OUT/b");
  spec.environment.emplace_back("OUT", job_path(spec, "output"));
  run(spec);
  EXPECT_EQ(*list_directory(spec.paths.output()), std::vector<std::string>{"b"});
  struct stat st;
  ASSERT_EQ(stat((spec.paths.output() + "/b").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, geteuid());
  EXPECT_EQ(st.st_gid, getegid());
}

TEST_P(RuntimeContract, CodeIsAPrivateWritableCopy) {
  auto spec = spec_for("echo changed > code.txt && mkdir new && echo x > new/file && cat code.txt");
  auto ended = run(spec);
  EXPECT_EQ(ended.report.outcome.exit_status, 0);
  EXPECT_EQ(ended.log, "changed\n");
  EXPECT_EQ(*read_file(spec.code_tree + "/code.txt"), "hello");
  EXPECT_EQ(*list_directory(spec.code_tree), std::vector<std::string>{"code.txt"});
}

TEST_P(RuntimeContract, TheWorkingCopyHoldsWhatTheJobWrote) {
  auto untouched = spec_for("true");
  run(untouched);
  WorkingCopy copy = runtime_->working_copy(untouched.paths);
  if (copy.changes_only) EXPECT_EQ(*list_directory(copy.path), std::vector<std::string>{});
  else EXPECT_EQ(*list_directory(copy.path), std::vector<std::string>{"code.txt"});

  auto written = spec_for("echo changed > code.txt && mkdir new && echo x > new/file && chmod 700 new");
  run(written);
  // As it is asked for by a worker that took the attempt up.
  runtime_ = GetParam().make(directory_);
  copy = runtime_->working_copy(written.paths);
  EXPECT_EQ(read_file(copy.path + "/code.txt"), "changed\n");
  EXPECT_EQ(read_file(copy.path + "/new/file"), "x\n");
}

TEST_P(RuntimeContract, DestroyLeavesTheLog) {
  auto spec = spec_for("echo kept; mkdir -p a/b; chmod 0 a");
  run(spec);
  auto destroyed = runtime_->destroy(spec.paths);
  EXPECT_TRUE(destroyed) << destroyed.error().message;
  EXPECT_FALSE(path_exists(spec.paths.directory + "/run"));
  EXPECT_EQ(log_of(spec.paths), "kept\n");
}

TEST_P(RuntimeContract, JobThatFillsTheDiskCanSayItsLastWords) {
  on_small_disk([this] {
    auto spec = spec_for(
        "cat /dev/zero > $OUT/big || { i=0; while [ $i -lt 20000 ]; do echo no space; i=$((i+1)); done; exit 9; }");
    spec.environment.emplace_back("OUT", job_path(spec, "output"));
    auto ended = run(spec);
    EXPECT_EQ(ended.report.outcome.exit_status, 9);
    EXPECT_EQ(ended.log.size() - ended.log.find("no space\n"), 20000 * strlen("no space\n"));
  });
}

TEST_P(RuntimeContract, LogWaitsForSpace) {
  on_small_disk([this] {
    std::string ballast = directory_ + "/ballast";
    ASSERT_TRUE(write_file_atomically(ballast, std::string(10 << 20, 'x'), 0600, Sync::no));
    auto spec = spec_for("yes 0123456789abcde | head -c 12582912");
    ASSERT_TRUE(runtime_->start(spec));
    std::string lock = join_path(spec.paths.directory, init::kLockFile);
    EXPECT_TRUE(eventually([&] { return read_file(lock).value_or("").find("No space") != std::string::npos; }));
    ASSERT_TRUE(remove_tree(ballast));
    auto ended = wait_for(spec.paths);
    EXPECT_TRUE(ended.report.outcome.succeeded());
    ASSERT_EQ(ended.log.size(), 12582912u);
    EXPECT_EQ(ended.log.find("e\n0"), 14u);
    EXPECT_EQ(ended.log.substr(ended.log.size() - 16), "0123456789abcde\n");
  });
}

TEST_P(RuntimeContract, TellsALackOfMemory) {
  auto probe = make_memory_cgroup(64u << 20);
  if (!probe) GTEST_SKIP() << probe.error().message;
  ASSERT_TRUE(remove_cgroup(*probe));
  // A line without end, kept in memory.
  auto spec = spec_for("echo ready; exec tail < /dev/zero");
  spec.resources.memory_bytes = 32u << 20;
  auto ended = run(spec);
  EXPECT_EQ(ended.log, "ready\n");
  EXPECT_TRUE(ended.report.outcome.out_of_memory);
  EXPECT_EQ(ended.report.outcome.signal, SIGKILL);
  EXPECT_TRUE(runtime_->destroy(spec.paths));
}

}  // namespace plz
