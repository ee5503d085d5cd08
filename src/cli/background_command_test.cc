#include "cli/background_command.h"

#include <signal.h>

#include <gtest/gtest.h>

#include "os/temporary_directory_test.h"

namespace plz {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

Result<BackgroundCommand> shell(std::string text, EnvironmentVariables environment = {}) {
  return BackgroundCommand::start({"/bin/sh", {"-c", std::move(text)}, std::move(environment), "/tmp"});
}

TEST(BackgroundCommand, GivesOutputErrorsAndStatus) {
  auto command = shell("cat; pwd; echo $A; echo wrong >&2; exit 3", {{"A", "a b"}});
  ASSERT_TRUE(command) << command.error().message;
  auto ended = command->finish(kPatience);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exit_status, 3);
  EXPECT_EQ(ended->output, "/tmp\na b\n");
  EXPECT_EQ(ended->errors, "wrong\n");
}

TEST(BackgroundCommand, NeverWaitsForItsReader) {
  auto command = shell("head -c 3000000 /dev/zero; kill -9 $$");
  ASSERT_TRUE(command);
  auto ended = command->finish(kPatience);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->output.size(), 3'000'000u);
  EXPECT_EQ(ended->exit_status, 128 + SIGKILL);
}

TEST(BackgroundCommand, IsKilledWhenItTakesTooLong) {
  auto command = shell("exec sleep 1000");
  ASSERT_TRUE(command);
  auto ended = command->finish(std::chrono::milliseconds(20));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::timeout);
}

TEST(BackgroundCommand, IsKilledWhenNobodyWantsIt) {
  TemporaryDirectory directory;
  std::string pid_file = directory.path("pid");
  {
    auto command = shell("echo $$ > " + pid_file + "; exec sleep 1000");
    ASSERT_TRUE(command);
    while (!path_exists(pid_file) || *file_size(pid_file) == 0) {
    }
    BackgroundCommand moved = std::move(*command);
  }
  EXPECT_EQ(kill(std::stoi(*read_file(pid_file)), 0), -1);
}

TEST(BackgroundCommand, ThatIsMissingIsAnError) {
  auto command = BackgroundCommand::start({"/nowhere/at/all", {}, {}, "/"});
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().code, ErrorCode::not_found);
}

TEST(LocateProgram, SearchesThePath) {
  TemporaryDirectory directory;
  directory.write("first/tool", "", 0644);
  directory.write("tool/x", "");
  std::string second = directory.write("second/tool", "", 0755);
  EnvironmentVariables environment{{"PATH", directory.path("first") + "::" + directory.path() + ":second"}};
  EXPECT_EQ(locate_program("tool", environment, directory.path()), second);
  EXPECT_EQ(locate_program("second/tool", environment, directory.path()), second);
  EXPECT_EQ(locate_program(second, {}, "/"), second);
  EXPECT_EQ(locate_program("first/tool", environment, directory.path()), "");
  EXPECT_EQ(locate_program("no-such-tool", environment, directory.path()), "");
  EXPECT_EQ(locate_program("", environment, directory.path()), "");
}

}  // namespace
}  // namespace plz
