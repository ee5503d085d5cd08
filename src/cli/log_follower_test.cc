#include "cli/log_follower.h"

#include <csignal>

#include <gmock/gmock.h>
#include <unistd.h>

#include "cli/scripted_session_test.h"

namespace plz {
namespace {

const ExecutionId kId = *ExecutionId::parse("019aab9e-3c6f-7d52-9d0f-000000000003");
const std::string kLogs = "GET /v1/executions/019aab9e-3c6f-7d52-9d0f-000000000003/logs";

// Sends some text, and then ends, or breaks off as a controller does that is killed.
class TextSource final : public StreamSource {
 public:
  TextSource(std::string text, State end) : text_(std::move(text)), end_(end) {}
  State pull(std::string& buffer, size_t) override {
    if (text_.empty()) return end_;
    buffer = std::exchange(text_, "");
    return State::data;
  }
  void on_wake(std::function<void()>) override {}

 private:
  std::string text_;
  State end_;
};

testing_client::ScriptedServer::Answer sends(std::string text, StreamSource::State end) {
  return [text, end](const testing_client::Asked&) {
    Response response;
    response.stream = std::make_shared<TextSource>(text, end);
    return response;
  };
}

class LogFollowerTest : public testing::Test {
 protected:
  Result<FollowEnd> follow(const LogsRequest& request, bool composite = false) {
    return LogFollower(*scripted_.session, interrupt_).follow(request, composite);
  }

  ScriptedSession scripted_;
  Interrupt interrupt_;
};

TEST_F(LogFollowerTest, WritesTheLogAsItIs) {
  const std::string log("one\n\0\xff two", 10);
  scripted_.answer(kLogs + "?follow=1&offset=0", sends(log, StreamSource::State::end));
  EXPECT_EQ(follow({kId}), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), log);
}

TEST_F(LogFollowerTest, GoesOnAtTheNextByteAfterABreak) {
  scripted_.answer(kLogs + "?follow=1&offset=0", sends("12345", StreamSource::State::failed));
  scripted_.answer(kLogs + "?follow=1&offset=5", sends("67", StreamSource::State::failed));
  scripted_.answer(kLogs + "?follow=1&offset=7", sends("89", StreamSource::State::end));
  EXPECT_EQ(follow({kId}), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), "123456789");
  EXPECT_EQ(scripted_.times_found, 3);
}

TEST_F(LogFollowerTest, LooksForTheControllerAnewWhenItIsGone) {
  auto breaks = [this](const testing_client::Asked& asked) {
    return sends("first ", StreamSource::State::failed)(asked);
  };
  scripted_.answer(kLogs + "?follow=1&offset=0", breaks);
  scripted_.answer(kLogs + "?follow=1&offset=6", sends("second", StreamSource::State::end));
  EXPECT_EQ(follow({kId}), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), "first second");
}

TEST_F(LogFollowerTest, SkipsWhatItHasOfALogSinceATime) {
  int asked_times = 0;
  scripted_.answer(kLogs + "?follow=1&since=1700000000", [&](const testing_client::Asked& asked) {
    return ++asked_times == 1 ? sends("abc", StreamSource::State::failed)(asked)
                              : sends("abcdef", StreamSource::State::end)(asked);
  });
  EXPECT_EQ(follow({.id = kId, .since = "1700000000"}), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), "abcdef");
}

TEST_F(LogFollowerTest, ShowsEachLineOfACompositeOnce) {
  int asked_times = 0;
  scripted_.answer(kLogs + "?follow=1&offset=0", [&](const testing_client::Asked& asked) {
    return ++asked_times == 1 ? sends("a1\nb1\na", StreamSource::State::failed)(asked)
                              : sends("b1\nb2\na1\na2", StreamSource::State::end)(asked);
  });
  EXPECT_EQ(follow({kId}, true), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), "a1\nb1\nb2\na2");
}

TEST_F(LogFollowerTest, ErrorsOfTheControllerEndIt) {
  auto end = follow({kId});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::not_found);
}

TEST_F(LogFollowerTest, AnInterruptEndsIt) {
  class Silent final : public StreamSource {
   public:
    State pull(std::string& buffer, size_t) override {
      if (std::exchange(sent_, true)) return State::waiting;
      buffer = "x";
      // A background job of a plain shell ignores SIGINT. The server's threads take no signals.
      kill(getpid(), SIGTERM);
      return State::data;
    }
    void on_wake(std::function<void()>) override {}

   private:
    bool sent_ = false;
  };
  scripted_.answer(kLogs + "?follow=1&offset=0", [](const testing_client::Asked&) {
    Response response;
    response.stream = std::make_shared<Silent>();
    return response;
  });
  EXPECT_EQ(follow({kId}), FollowEnd::interrupted);
  EXPECT_EQ(interrupt_.exit_status(), 143);
}

}  // namespace
}  // namespace plz
