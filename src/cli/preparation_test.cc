#include "cli/preparation.h"

#include <csignal>

#include <gmock/gmock.h>
#include <unistd.h>

#include "cli/commands/commands.h"
#include "cli/json_view.h"
#include "cli/scripted_session_test.h"

namespace plz {
namespace {

using testing::HasSubstr;
using testing::Not;

class PreparationTest : public testing::Test {
 protected:
  PreparationTest() {
    earlier_.id = kId;
    earlier_.spec.user = "ada";
    earlier_.spec.command = {"true"};
  }

  std::string logout_warning() {
    Interrupt interrupt;
    // Nobody answers for the store: it fails, later.
    EXPECT_FALSE(prepare_run(*scripted_.session, interrupt, scripted_.directory.path("project/output/%e")));
    return scripted_.told();
  }

  std::string metadata_of_rerun() {
    Interrupt interrupt;
    auto prepared = prepare_rerun(*scripted_.session, interrupt, earlier_, std::nullopt);
    EXPECT_TRUE(prepared) << prepared.error().message;
    return prepared ? prepared->submission.spec.metadata.text : "";
  }

  static std::string at(const std::string& json, const std::vector<std::string_view>& path) {
    return std::string(json_find(json, path).value_or("absent"));
  }

  ScriptedSession scripted_;
  Execution earlier_;
};

TEST_F(PreparationTest, WarnsWhereALogoutEndsTheJob) {
  scripted_.directory.write("system/etc/systemd/logind.conf", "KillUserProcesses=no\n");
  EXPECT_THAT(logout_warning(), Not(HasSubstr("log out")));
  // Of whoever is logged in, whatever plz is to call them.
  scripted_.directory.write("system/etc/systemd/logind.conf", "KillUserProcesses=yes\nKillExcludeUsers=login\n");
  EXPECT_THAT(logout_warning(), Not(HasSubstr("log out")));
  scripted_.directory.write("system/etc/systemd/logind.conf", "KillUserProcesses=yes\nKillExcludeUsers=ada\n");
  EXPECT_THAT(logout_warning(), HasSubstr("** This system ends your processes when you log out"));
}

TEST_F(PreparationTest, ARerunHasTheCheckoutOfTheCodeThatRuns) {
  const std::string git = "cd '" + scripted_.directory.path("project") +
                          "' && git init -q . && git -c user.email=a@b -c user.name=a commit -q --allow-empty -m x";
  ASSERT_EQ(system(git.c_str()), 0);
  earlier_.spec.metadata.text = R"({"git": {"commit": "abc", "branch": "then", "dirty": true}})";
  const std::string json = metadata_of_rerun();
  EXPECT_EQ(at(json, {"git", "commit"}), "\"abc\"");
  EXPECT_EQ(at(json, {"git", "branch"}), "\"then\"");
  EXPECT_EQ(at(json, {"git", "dirty"}), "true");
  earlier_.spec.metadata.text = "{}";
  EXPECT_EQ(at(metadata_of_rerun(), {"git"}), "absent");
}

TEST_F(PreparationTest, ARerunHasTheVariablesThatTheJobGets) {
  earlier_.spec.environment = {{"LR", "0.5"}};
  const std::string json = metadata_of_rerun();
  EXPECT_EQ(at(json, {"environment", "values", "LR"}), "\"0.5\"");
  EXPECT_THAT(at(json, {"environment", "names"}), HasSubstr("LR"));
}

TEST_F(PreparationTest, OfAJobInAContainerTheShellSaysOnlyWhichEngineItIsOn) {
  Interrupt interrupt;
  EXPECT_EQ(
      prepare_rerun(*scripted_.session, interrupt, earlier_, std::nullopt)->submission.shell_environment,
      (EnvironmentVariables{{"HOME", scripted_.directory.path("home")}, {"PATH", "/usr/bin:/bin"}, {"SECRET", "s"}}));
  earlier_.spec.snapshot.environment.image = "debian:12";
  EXPECT_EQ(prepare_rerun(*scripted_.session, interrupt, earlier_, std::nullopt)->submission.shell_environment,
            (EnvironmentVariables{{"HOME", scripted_.directory.path("home")}, {"PATH", "/usr/bin:/bin"}}));
}

TEST_F(PreparationTest, AnInterpreterThatIsPartOfTheCodeIsNotLookedUpHere) {
  // One that would answer otherwise.
  scripted_.directory.write("project/venv/bin/python", "#!/bin/sh\nexit 1\n", 0755);
  const std::string then = R"({"interpreter": "/then/venv/bin/python", "version": "3.11.2"})";
  earlier_.spec.command = {"venv/bin/python", "train.py"};
  earlier_.spec.configuration.text = R"({"context_path": "/then"})";
  earlier_.spec.metadata.text = R"({"python": )" + then + "}";
  const std::string json = metadata_of_rerun();
  EXPECT_EQ(at(json, {"python", "interpreter"}), "\"/then/venv/bin/python\"");
  EXPECT_EQ(at(json, {"python", "version"}), "\"3.11.2\"");
  EXPECT_EQ(at(json, {"python", "error"}), "absent");
}

TEST_F(PreparationTest, TheInterpreterOfACapturedScriptIsAsItIsNow) {
  const std::string now = scripted_.directory.write("bin/python3", "#!/bin/sh\nexit 1\n", 0755);
  earlier_.spec.command = {"./train.py"};
  earlier_.spec.configuration.text = R"({"context_path": "/then"})";
  earlier_.spec.metadata.text = R"({"python": {"interpreter": ")" + now + R"(", "version": "3.11.2"}})";
  const std::string json = metadata_of_rerun();
  EXPECT_EQ(at(json, {"python", "interpreter"}), "\"" + now + "\"");
  EXPECT_THAT(at(json, {"python", "error"}), HasSubstr("exit status of 1"));
}

TEST_F(PreparationTest, AnInterruptedRerunSaysThatNothingWasSubmitted) {
  const std::string one = "GET /v1/executions/" + kId.to_string();
  scripted_.answer(one, [this](const testing_client::Asked&) {
    // A background job of a plain shell ignores SIGINT. The server's threads take no signals.
    kill(getpid(), SIGTERM);
    return testing_client::json(execution_to_json(earlier_));
  });
  EXPECT_EQ(perform(*scripted_.session, RerunOptions{.execution = kId}), 143);
  EXPECT_THAT(scripted_.told(), HasSubstr("nothing was submitted"));
  for (const auto& asked : scripted_.server->asked()) EXPECT_NE(asked.target, "/v1/executions");
}

}  // namespace
}  // namespace plz
