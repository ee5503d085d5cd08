#include "os/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "os/wake.h"

namespace plz {
namespace {

using namespace std::chrono_literals;

SpawnOptions shell(const std::string& script) {
  SpawnOptions options;
  options.program = "/bin/sh";
  options.arguments = {"sh", "-c", script};
  options.environment = {"PATH=/usr/bin:/bin", "X=1"};
  return options;
}

std::string output_of(SpawnOptions options) {
  auto pipe = make_pipe();
  options.stdout_fd = pipe->in.get();
  EXPECT_TRUE(run_process(options, 20s));
  pipe->in.reset();
  char text[4096];
  auto size = read_up_to(pipe->out.get(), text, sizeof text);
  return std::string(text, size.value_or(0));
}

TEST(Process, TellsExitStatusAndSignal) {
  EXPECT_EQ(run_process(shell("exit 3"), 20s)->status, 3);
  auto killed = run_process(shell("kill -TERM $$"), 20s);
  EXPECT_EQ(killed->status, 128 + SIGTERM);
  EXPECT_TRUE(killed->signalled);
}

TEST(Process, IsKilledWhenItsTimeIsOver) {
  EXPECT_EQ(run_process(shell("exec sleep 60"), 20ms).error().code, ErrorCode::timeout);
}

TEST(Process, GetsItsEnvironmentAndNothingElse) {
  UniqueFd leak(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100));
  EXPECT_EQ(output_of(shell("echo $X; ls /proc/$$/fd | grep " + std::to_string(leak.get()) +
                            "; cat; grep SigBlk /proc/self/status | cut -f 2")),
            "1\n0000000000000000\n");
}

TEST(Process, MayHaveASessionOfItsOwn) {
  auto options = shell("test $(cut -d ' ' -f 6 /proc/$$/stat) = $$ && echo own");
  options.new_session = true;
  EXPECT_EQ(output_of(options), "own\n");
}

TEST(Process, NamesTheProgramThatIsNotThere) {
  SpawnOptions options;
  options.program = "/nosuch/program";
  auto started = spawn(options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::not_found);
  EXPECT_NE(started.error().message.find("/nosuch/program"), std::string::npos);
}

TEST(Process, CanBeWatchedUntilItIsReaped) {
  auto pid = spawn(shell("exit 0"));
  auto handle = open_process(*pid);
  ASSERT_TRUE(handle && *handle);
  EXPECT_TRUE(*wait_readable((*handle)->get(), -1, 20s));
  EXPECT_TRUE(*open_process(*pid));
  EXPECT_EQ(reap(*pid)->status, 0);
  EXPECT_FALSE(reap(*pid));
  EXPECT_FALSE(*open_process(*pid));
}

TEST(Process, IsFoundInThePath) {
  EXPECT_EQ(find_program("sh", "/nosuch::/bin"), "/bin/sh");
  EXPECT_EQ(find_program("/bin/sh", ""), "/bin/sh");
  EXPECT_EQ(find_program("nosuch-program", "/usr/bin:/bin"), std::nullopt);
  EXPECT_EQ(find_program("etc", "/"), std::nullopt);
}

TEST(Wake, EndsAWait) {
  auto wake = Wake::make();
  auto never = make_pipe();
  std::jthread waker([&] { wake->wake(); });
  EXPECT_FALSE(*wait_readable(never->out.get(), wake->fd(), -1ms));
  wake->clear();
  EXPECT_FALSE(*wait_readable(wake->fd(), -1, 1ms));
}

}  // namespace
}  // namespace plz
