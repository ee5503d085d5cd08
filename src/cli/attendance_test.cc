#include "cli/attendance.h"

#include <csignal>

#include <gmock/gmock.h>
#include <unistd.h>

#include "cli/commands/commands.h"
#include "cli/log_follower.h"
#include "cli/scripted_session_test.h"
#include "store/hasher.h"
#include "store/pack_format.h"
#include "store/tree.h"
#include "wire/execution_json.h"

namespace plz {
namespace {

using testing::HasSubstr;

// A job that has ended and left an output, of which the store sends the half, and Ctrl-C comes.
class AttendanceTest : public testing::Test {
 protected:
  AttendanceTest() {
    TreeEntry file;
    file.name = "weights";
    file.bytes = content_.size();
    file.digest = digest_of(content_);
    tree_ = encode_tree(Tree{{file}});
    execution_.id = kId;
    execution_.spec.user = "ada";
    execution_.state = ExecutionState::finished;
    execution_.output_tree = digest_of(tree_);
    finish(OutcomeKind::succeeded, 0);
    scripted_.answer("GET " + kOne + "/logs?follow=1&offset=0", "");
    scripted_.answer("GET " + kOne + "/measures?prefix=summary", "{}");
    scripted_.answer("POST /v1/blobs/fetch", [this](const testing_client::Asked& asked) { return fetch(asked); });
  }

  void finish(OutcomeKind kind, int status) {
    execution_.outcome = Outcome{kind, status, {}, false, {}};
    for (const char* query : {"", "?wait=60"}) scripted_.answer("GET " + kOne + query, execution_to_json(execution_));
  }

  Response fetch(const testing_client::Asked& asked) {
    Response response;
    for (const std::string& blob : {tree_, content_})
      if (asked.body.find(digest_of(blob).view()) != std::string::npos)
        append_blob_to_pack(response.body, digest_of(blob), blob);
    // A background job of a plain shell ignores SIGINT. The server's threads take no signals.
    if (asked.body.find(digest_of(interrupted_at_).view()) != std::string::npos) kill(getpid(), SIGTERM);
    return response;
  }

  void expect_told_how_to_get_it() {
    EXPECT_THAT(scripted_.told(), HasSubstr("plz output " + kId.to_string()));
    EXPECT_FALSE(path_exists(scripted_.directory.path("project/out")));
  }

  const std::string content_ = std::string(3u << 20, 'x');
  std::string tree_, interrupted_at_ = content_;
  Execution execution_;
  ScriptedSession scripted_;
};

TEST_F(AttendanceTest, AnInterruptWhileTheOutputIsFetchedIsTold) {
  Interrupt interrupt;
  auto status = attend(*scripted_.session, interrupt, kId, {}, scripted_.directory.path("project/out"));
  EXPECT_EQ(status, 143);
  expect_told_how_to_get_it();
}

TEST_F(AttendanceTest, SoItIsOfAJobThatFailed) {
  finish(OutcomeKind::exited, 3);
  Interrupt interrupt;
  auto status = attend(*scripted_.session, interrupt, kId, {}, scripted_.directory.path("project/out"));
  EXPECT_EQ(status, 143);
  expect_told_how_to_get_it();
}

TEST_F(AttendanceTest, AnInterruptOfPlzOutput) {
  EXPECT_EQ(perform(*scripted_.session, OutputOptions{.execution = kId, .output_directory = "out"}), 143);
  expect_told_how_to_get_it();
}

TEST_F(AttendanceTest, AnInterruptOfPlzDiff) {
  interrupted_at_ = tree_;
  EXPECT_EQ(perform(*scripted_.session, DiffOptions{kId, kId}), 143);
  EXPECT_EQ(scripted_.printed(), "");
}

TEST(WaitUntilFinished, HasPatienceAndThenSaysHowToGoOn) {
  FakeClock clock;
  ScriptedSession scripted(clock);
  Interrupt interrupt;
  int times_asked = 0;
  scripted.answer("GET " + kOne + "?wait=60", [&](const testing_client::Asked&) {
    ++times_asked;
    clock.advance(LogFollower::kPatience * 2 / 3);
    return problem_response(Error{ErrorCode::unavailable, "ending", {}}, "r");
  });
  auto execution = wait_until_finished(*scripted.session, interrupt, kId);
  ASSERT_FALSE(execution);
  EXPECT_EQ(times_asked, 3);
  EXPECT_THAT(execution.error().hint, HasSubstr("plz logs " + kId.to_string()));
}

}  // namespace
}  // namespace plz
