#include "cli/git_environment.h"

#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/background_command.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::Pair;

const EnvironmentVariables::value_type kAcross{"GIT_DISCOVERY_ACROSS_FILESYSTEM", "1"};

TEST(GitEnvironment, NamesNoRepository) {
  EXPECT_THAT(git_environment({{"PATH", "/bin"},
                               {"GIT_DIR", "/other/.git"},
                               {"GIT_INDEX_FILE", "x"},
                               {"GIT_CEILING_DIRECTORIES", "/"},
                               {"GIT_LITERAL_PATHSPECS", "1"},
                               {"GIT_ONE_OF_THE_NEXT_VERSION", "1"},
                               {"GIT_EXEC_PATH", "/git"},
                               {"GIT_CONFIG_GLOBAL", "/dev/null"},
                               {"HOME", "/home/ada"}}),
              ElementsAre(Pair("PATH", "/bin"), Pair("GIT_EXEC_PATH", "/git"), Pair("GIT_CONFIG_GLOBAL", "/dev/null"),
                          Pair("HOME", "/home/ada"), kAcross));
}

TEST(GitEnvironment, KeepsWhomThePersonTrusts) {
  EXPECT_THAT(git_environment({{"GIT_CONFIG_COUNT", "3"},
                               {"GIT_CONFIG_KEY_0", "core.excludesFile"},
                               {"GIT_CONFIG_VALUE_0", "/x"},
                               {"GIT_CONFIG_KEY_1", "Safe.Directory"},
                               {"GIT_CONFIG_VALUE_1", "*"},
                               {"GIT_CONFIG_KEY_2", "safe.directory"}}),
              ElementsAre(Pair("GIT_CONFIG_KEY_0", "Safe.Directory"), Pair("GIT_CONFIG_VALUE_0", "*"),
                          Pair("GIT_CONFIG_COUNT", "1"), kAcross));
  EXPECT_THAT(git_environment({{"GIT_CONFIG_COUNT", "many"}}), ElementsAre(kAcross));
}

TEST(GitEnvironment, KnowsAllThatThisGitCallsLocal) {
  const EnvironmentVariables environment{{"PATH", getenv("PATH")}};
  auto git = BackgroundCommand::start(
      {locate_program("git", environment, "/"), {"rev-parse", "--local-env-vars"}, environment, "/"});
  ASSERT_TRUE(git) << git.error().message;
  auto ended = git->finish(std::chrono::minutes(1));
  ASSERT_TRUE(ended && ended->exit_status == 0);
  const auto names = split(trim(ended->output), '\n');
  EXPECT_GT(names.size(), 10u);
  for (auto name : names) EXPECT_EQ(names_git_repository(name), name != "GIT_CONFIG_COUNT") << name;
}

}  // namespace
}  // namespace plz
