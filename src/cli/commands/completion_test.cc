#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "os/process.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Completion, EveryShellHasEveryCommand) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell);
    for (const char* word : {"list-context", "output-dir", "__complete ids", "rerun"})
      EXPECT_THAT(script, HasSubstr(word)) << shell;
  }
}

// The real bash, with an imposter of plz that knows two ids.
class BashCompletionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!path_exists("/bin/bash")) GTEST_SKIP() << "there is no bash";
    directory_.write("bin/plz", "#!/bin/sh\necho 019aab9e-a\necho 019aab9e-b\n", 0755);
    directory_.write("completion", completion_script("bash"));
  }

  // What bash offers for the last word.
  std::vector<std::string> offers(const std::string& words) {
    const std::string output = directory_.path("offered");
    const std::string script = ". " + directory_.path("completion") + "; compopt() { :; }; COMP_WORDS=(" + words +
                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _plz; printf '%s\\n' \"${COMPREPLY[@]}\" > " +
                               output;
    SpawnOptions bash;
    bash.program = "/bin/bash";
    bash.arguments = {"bash", "-c", script};
    bash.environment = {"PATH=" + directory_.path("bin") + ":/usr/bin:/bin"};
    EXPECT_TRUE(run_process(bash, std::chrono::seconds(20)));
    std::vector<std::string> offered;
    const std::string text = *read_file(output);
    for (std::string_view line : split(trim(text), '\n'))
      if (!line.empty()) offered.emplace_back(line);
    return offered;
  }

  TemporaryDirectory directory_;
};

TEST_F(BashCompletionTest, OffersCommandsOptionsAndIds) {
  EXPECT_THAT(offers("plz ru"), ElementsAre("run"));
  EXPECT_THAT(offers("plz ''"), Contains("list-context"));
  EXPECT_THAT(offers("plz run --out"), ElementsAre("--output-dir", "--outputs"));
  EXPECT_THAT(offers("plz logs ''"), ElementsAre("019aab9e-a", "019aab9e-b"));
  EXPECT_THAT(offers("plz logs --since start 019aab9e-b"), ElementsAre("019aab9e-b"));
  EXPECT_THAT(offers("plz completion f"), ElementsAre("fish"));
  EXPECT_THAT(offers("plz controller ''"), ElementsAre("restart", "stop", "status"));
  EXPECT_THAT(offers("plz controller --j"), ElementsAre("--json"));
}

TEST_F(BashCompletionTest, LeavesFilesAndTheJobsWordsToBash) {
  EXPECT_THAT(offers("plz output --output-dir ''"), ElementsAre());
  EXPECT_THAT(offers("plz output -o ''"), ElementsAre());
  EXPECT_THAT(offers("plz run -- ru"), ElementsAre());
  EXPECT_THAT(offers("plz run ''"), Not(Contains("019aab9e-a")));
}

}  // namespace
}  // namespace plz
