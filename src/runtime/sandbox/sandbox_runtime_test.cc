#include "runtime/sandbox/sandbox_runtime.h"
#include "os/temporary_directory_test.h"
#include "runtime/sandbox/sandbox_obstacle.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "runtime/runtime_contract_test.h"

namespace plz {
namespace {

RuntimeKind made_by(const std::string& name, SandboxMaker maker) {
  auto make = [maker](const std::string& directory) {
    SandboxSettings settings{.plz_init_path = PLZ_INIT_PATH, .probe_directory = directory, .maker = maker};
    return std::make_unique<SandboxRuntime>(settings);
  };
  return {name, make, true};
}

const auto kSandboxes =
    testing::Values(made_by("plz_init", SandboxMaker::plz_init), made_by("bubblewrap", SandboxMaker::bubblewrap));
INSTANTIATE_TEST_SUITE_P(Sandbox, RuntimeContract, kSandboxes, runtime_kind_name);

class SandboxRuntimeTest : public RuntimeContract {};
INSTANTIATE_TEST_SUITE_P(Sandbox, SandboxRuntimeTest, kSandboxes, runtime_kind_name);

TEST_P(SandboxRuntimeTest, CodeLiesAtSrc) { EXPECT_EQ(run_script("pwd").log, "/src\n"); }

TEST_P(SandboxRuntimeTest, KeepsThePersonsIds) {
  EXPECT_EQ(run_script("id -u; id -g").log, std::to_string(geteuid()) + "\n" + std::to_string(getegid()) + "\n");
}

TEST_P(SandboxRuntimeTest, HostIsReadOnly) {
  auto ended = run_script(
      "for d in / /usr /etc /var /home; do touch $d/plz-was-here 2>/dev/null && echo $d; done; echo x > "
      "/tmp/plz-was-here && cat "
      "/tmp/plz-was-here");
  EXPECT_EQ(ended.log, "x\n");
  EXPECT_FALSE(path_exists("/tmp/plz-was-here"));
}

TEST_P(SandboxRuntimeTest, HasItsOwnProcessesAndDevices) {
  EXPECT_EQ(run_script("ls -d /proc/[0-9]* | wc -l | xargs test 5 -ge; echo $?").log, "0\n");
  EXPECT_EQ(run_script("test -c /dev/null && test ! -e /dev/vda && : > /dev/shm/x; echo $?").log, "0\n");
}

TEST_P(SandboxRuntimeTest, HidesWhatIsHidden) {
  std::string secret = directory_ + "/secret";
  ASSERT_TRUE(make_directories(secret));
  ASSERT_TRUE(write_file_atomically(secret + "/token", "x", 0600, Sync::no));
  auto spec = spec_for("cat " + secret + "/token; ls " + secret + " | wc -l; cat code.txt");
  spec.visible_paths = {directory_};
  spec.hidden_paths = {secret};
  EXPECT_NE(run(spec).log.find("No such file"), std::string::npos);
  spec = spec_for("cat " + secret + "/token");
  spec.visible_paths = {directory_};
  EXPECT_EQ(run(spec).log, "x");
}

TEST_P(SandboxRuntimeTest, HidesASingleFile) {
  std::string secret = directory_ + "/token";
  ASSERT_TRUE(write_file_atomically(secret, "x", 0600, Sync::no));
  auto spec = spec_for("cat " + secret + " | wc -c");
  spec.visible_paths = {directory_};
  spec.hidden_paths = {secret};
  EXPECT_EQ(run(spec).log, "0\n");
}

TEST_P(SandboxRuntimeTest, ShowsProjectsUnderTmpReadOnly) {
  std::string project = directory_ + "/project";
  ASSERT_TRUE(make_directories(project));
  ASSERT_TRUE(write_file_atomically(project + "/a", "seen", 0644, Sync::no));
  auto spec = spec_for("cat " + project + "/a; echo x 2>/dev/null > " + project + "/b || echo no");
  spec.visible_paths = {project};
  auto log = run(spec).log;
  EXPECT_TRUE(log.starts_with("seen")) << log;
  EXPECT_TRUE(log.ends_with("no\n")) << log;
  EXPECT_NE(run_script("cat " + project + "/a").log.find("No such file"), std::string::npos);
}

TEST_P(SandboxRuntimeTest, ShowsAPathThatIsALink) {
  ASSERT_TRUE(make_directories(directory_ + "/real"));
  ASSERT_TRUE(write_file_atomically(directory_ + "/real/a", "seen", 0644, Sync::no));
  ASSERT_EQ(symlink((directory_ + "/real").c_str(), (directory_ + "/link").c_str()), 0);
  auto spec = spec_for("cat " + directory_ + "/link/a");
  spec.visible_paths = {directory_ + "/link"};
  EXPECT_EQ(run(spec).log, "seen");
}

TEST_P(SandboxRuntimeTest, MountsInputReadOnlyAndOutputWritable) {
  ASSERT_TRUE(make_directories(directory_ + "/input"));
  ASSERT_TRUE(write_file_atomically(directory_ + "/input/data", "data", 0644, Sync::no));
  auto spec = spec_for(
      "cat /plz/input/data; rm -f /plz/input/data 2>/dev/null; echo x > /plz/output/y; rmdir /plz/output 2>/dev/null; "
      "rm /plz/output/y && echo 2 > /plz/output/z");
  spec.mounts.push_back({directory_ + "/input", job_path(spec, "input"), false});
  EXPECT_EQ(run(spec).log, "data");
  EXPECT_TRUE(path_exists(directory_ + "/input/data"));
  EXPECT_EQ(*list_directory(spec.paths.output()), std::vector<std::string>{"z"});
}

TEST_P(SandboxRuntimeTest, RefusesAMountThatIsNotThere) {
  auto spec = spec_for("true");
  spec.mounts.push_back({directory_ + "/none", "/plz/input", false});
  EXPECT_EQ(runtime_->start(spec).error().code, ErrorCode::invalid);
}

TEST_P(SandboxRuntimeTest, KeepsAWritableCache) {
  std::string home = directory_ + "/home", cache = directory_ + "/cache";
  ASSERT_TRUE(make_directories(home));
  ASSERT_TRUE(make_directories(cache));
  auto spec = spec_for("echo kept > ~/.cache/model; touch ~/x 2>/dev/null || echo read-only");
  spec.environment.emplace_back("HOME", home);
  spec.visible_paths = {home};
  spec.home_cache = cache;
  EXPECT_EQ(run(spec).log, "read-only\n");
  EXPECT_EQ(*read_file(cache + "/model"), "kept\n");
  EXPECT_TRUE(list_directory(home + "/.cache")->empty());
}

TEST_P(SandboxRuntimeTest, HasTheHostsNetworkOnlyIfAllowed) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::string connect = "exec 2>/dev/null; (: < /dev/tcp/127.0.0.1/" + std::to_string(ntohs(address.sin_port)) +
                        ") && echo yes || echo no";
  auto spec = spec_for("");
  spec.command = {"bash", "-c", connect};
  EXPECT_EQ(run(spec).log, "yes\n");
  auto boxed = spec_for("");
  boxed.command = spec.command;
  boxed.network = false;
  EXPECT_EQ(run(boxed).log, "no\n");
  close(listener);
}

// Neither by its path, nor through plz-init's descriptors, nor beside the mounts that lie in it.
TEST_P(SandboxRuntimeTest, CannotReachTheAttemptsRecords) {
  auto spec = spec_for(
      "cat $DIR/init.spec $DIR/log; ls /proc/1/fd; cat /proc/1/fd/4/init.spec; ls /plz/output/..; kill -9 1; echo > "
      "$DIR/init.exit; echo alive");
  spec.environment.emplace_back("DIR", spec.paths.directory);
  spec.visible_paths = {directory_};
  auto ended = run(spec);
  EXPECT_EQ(ended.report.outcome.exit_status, 0);
  EXPECT_EQ(ended.log.find("init.spec\n"), std::string::npos) << ended.log;
  EXPECT_EQ(ended.log.find("plz-init-spec"), std::string::npos) << ended.log;
  EXPECT_TRUE(ended.log.ends_with("alive\n")) << ended.log;
}

TEST_P(SandboxRuntimeTest, JobCannotStopItselfThroughItsFirstProcess) {
  EXPECT_EQ(run_script("kill -TERM 1; sleep 0.1; echo alive").log, "alive\n");
}

TEST_P(SandboxRuntimeTest, SaysWhyTheSandboxCannotBe) {
  auto spec = spec_for("true");
  // The host is read-only in the sandbox: no place can be made for this one.
  spec.mounts.push_back({directory_ + "/code", "/usr/nosuch/place", false});
  auto ended = run(spec);
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_NE(ended.report.outcome.reason.find("/usr/nosuch"), std::string::npos) << ended.report.outcome.reason;
}

// In the place of bubblewrap: fails as it does when a mount goes meanwhile, until it was called so often.
class FailingBubblewrap : public RuntimeContract {
 protected:
  void fail_until(int call) {
    const std::string script = "#!/bin/sh\necho x >> " + calls_ + "\n[ $(wc -l < " + calls_ + ") -ge " +
                               std::to_string(call) + " ] && exec bwrap \"$@\"\necho try $(wc -l < " + calls_ +
                               ") >&2\nexit 1\n";
    ASSERT_TRUE(write_file_atomically(calls_, "", 0600, Sync::no));
    ASSERT_TRUE(write_file_atomically(directory_ + "/bin/bwrap", script, 0700, Sync::no));
  }
  size_t calls() { return read_file(calls_).value_or("").size() / 2; }

  const std::string calls_ = testing::TempDir() + "plz-bwrap-calls-" + std::to_string(getpid());
};
INSTANTIATE_TEST_SUITE_P(Sandbox, FailingBubblewrap,
                         testing::Values(RuntimeKind{
                             "bubblewrap",
                             [](const std::string& directory) {
                               EXPECT_TRUE(make_directories(directory + "/bin"));
                               EXPECT_EQ(symlink("/usr/bin/bwrap", (directory + "/bin/bwrap").c_str()), 0);
                               return std::make_unique<SandboxRuntime>(
                                   SandboxSettings{.plz_init_path = PLZ_INIT_PATH,
                                                   .bwrap_path = directory + "/bin/bwrap",
                                                   .probe_directory = directory,
                                                   .maker = SandboxMaker::bubblewrap,
                                                   .look_again = std::chrono::milliseconds(0)});
                             },
                             true}),
                         runtime_kind_name);

TEST_P(FailingBubblewrap, IsTriedAgain) {
  ASSERT_TRUE(runtime_->fingerprint().available);
  fail_until(2);
  auto ended = run_script("cat code.txt; exit 3");
  EXPECT_EQ(ended.report.outcome.exit_status, 3);
  EXPECT_EQ(ended.log, "hello");
  EXPECT_GE(calls(), 2u);  // a mount may go in earnest
}

TEST_P(FailingBubblewrap, IsTriedFourTimesAndItsLastWordsAreTold) {
  ASSERT_TRUE(runtime_->fingerprint().available);
  fail_until(100);
  auto ended = run_script("cat code.txt");
  EXPECT_EQ(ended.report.outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(ended.report.outcome.reason, "try 4");
  EXPECT_EQ(calls(), 4u);
}

TEST_P(FailingBubblewrap, IsAskedAgainWhetherItWorks) {
  runtime_ = GetParam().make(directory_ + "/anew");
  const std::string program = directory_ + "/anew/bin/bwrap";
  ASSERT_EQ(unlink(program.c_str()), 0);
  ASSERT_EQ(symlink("/bin/false", program.c_str()), 0);
  EXPECT_FALSE(runtime_->fingerprint().available);
  ASSERT_EQ(unlink(program.c_str()), 0);
  ASSERT_EQ(symlink("/usr/bin/bwrap", program.c_str()), 0);
  EXPECT_TRUE(runtime_->fingerprint().available);
}

TEST_P(FailingBubblewrap, IsNotAskedForEachJob) {
  fail_until(1'000);
  SandboxRuntime runtime({.plz_init_path = PLZ_INIT_PATH,
                          .bwrap_path = directory_ + "/bin/bwrap",
                          .probe_directory = directory_,
                          .maker = SandboxMaker::bubblewrap});
  EXPECT_FALSE(runtime.fingerprint().available);
  const size_t asked = calls();
  EXPECT_GT(asked, 0u);
  EXPECT_FALSE(runtime.fingerprint().available);
  EXPECT_EQ(calls(), asked);
}

TEST(SandboxObstacle, KnowsRefusalsFromWhatPasses) {
  for (const char* words :
       {"plz-init: cannot make namespaces: Operation not permitted",
        "plz-init: cannot make namespaces: Invalid argument",
        "plz-init: cannot make namespaces: Function not implemented",
        "plz-init: cannot map user ids: Permission denied",
        "plz-init: cannot mount the sandbox's root: Permission denied",
        "plz-init: cannot make in the sandbox /proc: Operation not permitted",
        "bwrap: No permissions to create new namespace, likely because the kernel does not allow it",
        "bwrap: setting up uid map: Permission denied"})
    EXPECT_TRUE(is_refusal_of_sandbox(words)) << words;
  for (const char* words :
       {"", "plz-init: cannot make namespaces: No space left on device",
        "plz-init: cannot make namespaces: Cannot allocate memory",
        "plz-init: cannot make namespaces: Resource temporarily unavailable",
        "plz-init: cannot open the log: Too many open files", "cannot make /d/run/src: No space left on device",
        "plz-init: cannot make in the sandbox /usr: No such file or directory", "cannot open /d/x: Permission denied",
        "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)"})
    EXPECT_FALSE(is_refusal_of_sandbox(words)) << words;
}

TEST(SandboxFingerprint, WhatFailsForTheMomentIsNoRefusalAndIsTriedAgain) {
  TemporaryDirectory directory;
  const std::string place = directory.path("not/yet");
  SandboxRuntime runtime(
      {.plz_init_path = PLZ_INIT_PATH, .probe_directory = place, .look_soon = std::chrono::milliseconds(0)});
  EXPECT_FALSE(runtime.fingerprint().available);
  EXPECT_TRUE(runtime.fingerprint().may_come_back);
  ASSERT_TRUE(make_directories(place));
  EXPECT_TRUE(runtime.fingerprint().available);
}

TEST(SandboxFingerprint, SaysThatBubblewrapIsMissing) {
  SandboxRuntime runtime(
      {.plz_init_path = PLZ_INIT_PATH, .bwrap_path = "/nosuch/bwrap", .maker = SandboxMaker::bubblewrap});
  auto fingerprint = runtime.fingerprint();
  EXPECT_FALSE(fingerprint.available);
  EXPECT_NE(fingerprint.detail.find("apt-get install bubblewrap"), std::string::npos);
}

}  // namespace
}  // namespace plz
