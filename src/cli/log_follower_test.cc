#include "cli/log_follower.h"

#include <csignal>

#include <gmock/gmock.h>
#include <unistd.h>

#include "cli/scripted_session_test.h"

namespace plz {
namespace {

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

  // Breaks off after a silence.
  testing_client::ScriptedServer::Answer falls_silent_for(std::chrono::seconds silence) {
    return [this, silence](const testing_client::Asked& asked) {
      clock_.advance(silence);
      return sends("", StreamSource::State::failed)(asked);
    };
  }

  testing_client::ScriptedServer::Answer is_unavailable_for(std::chrono::seconds time) {
    return [this, time](const testing_client::Asked&) {
      clock_.advance(time);
      return problem_response(Error{ErrorCode::unavailable, "ending", {}}, "r");
    };
  }

  // The first answers once each, the last as often as it is asked for.
  void answer_in_turn(std::vector<testing_client::ScriptedServer::Answer> answers) {
    scripted_.answer(kLogs + "?follow=1&offset=0", [this, answers](const testing_client::Asked& asked) {
      return answers[std::min<size_t>(times_asked_++, answers.size() - 1)](asked);
    });
  }

  FakeClock clock_;
  ScriptedSession scripted_{clock_};
  Interrupt interrupt_;
  size_t times_asked_ = 0;
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
  auto breaks = [](const testing_client::Asked& asked) { return sends("first ", StreamSource::State::failed)(asked); };
  scripted_.answer(kLogs + "?follow=1&offset=0", breaks);
  scripted_.answer(kLogs + "?follow=1&offset=6", sends("second", StreamSource::State::end));
  EXPECT_EQ(follow({kId}), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), "first second");
}

TEST_F(LogFollowerTest, ASilentLogThatBreaksOffIsTakenUpAgain) {
  answer_in_turn({falls_silent_for(LogFollower::kPatience * 2), sends("at last", StreamSource::State::end)});
  EXPECT_EQ(follow({kId}), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), "at last");
}

TEST_F(LogFollowerTest, PatienceIsForARowOfFailures) {
  const auto most = LogFollower::kPatience * 2 / 3;
  answer_in_turn({is_unavailable_for(most), is_unavailable_for(most), sends("x", StreamSource::State::failed)});
  scripted_.answer(kLogs + "?follow=1&offset=1", [&](const testing_client::Asked& asked) {
    return times_asked_++ < 4 ? is_unavailable_for(most)(asked) : sends("y", StreamSource::State::end)(asked);
  });
  EXPECT_EQ(follow({kId}), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), "xy");
}

TEST_F(LogFollowerTest, GivesUpAfterALongRowOfFailuresAndSaysHowToGoOn) {
  answer_in_turn({is_unavailable_for(LogFollower::kPatience / 2)});
  auto end = follow({kId});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::unavailable);
  EXPECT_THAT(end.error().hint, testing::HasSubstr("plz logs " + kId.to_string()));
  EXPECT_EQ(times_asked_, 4u);
}

// The log cannot be read, say: the controller answers each time.
TEST_F(LogFollowerTest, AStreamThatBreaksAtOnceIsNoSuccess) {
  answer_in_turn({[this](const testing_client::Asked& asked) {
    Response response = sends("", StreamSource::State::failed)(asked);
    clock_.advance(LogFollower::kPatience / 2);  // before the answer, not during the stream
    return response;
  }});
  EXPECT_FALSE(follow({kId}));
}

// However it was asked to begin, and though the controller would begin elsewhere now.
TEST_F(LogFollowerTest, GoesOnFromWhereTheControllerBegan) {
  for (const char* start : {"?follow=1&from=now", "?follow=1&since=1700000000"})
    scripted_.answer(kLogs + start, [this](const testing_client::Asked& asked) {
      Response response = sends("abc", StreamSource::State::failed)(asked);
      response.headers.add("Plz-Log-Offset", std::to_string(40 + times_asked_++));
      return response;
    });
  scripted_.answer(kLogs + "?follow=1&offset=43", sends("def ", StreamSource::State::end));
  scripted_.answer(kLogs + "?follow=1&offset=44", sends("DEF", StreamSource::State::end));
  EXPECT_EQ(follow({.id = kId, .from_now = true}), FollowEnd::complete);
  EXPECT_EQ(follow({.id = kId, .since = "1700000000"}), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), "abcdef abcDEF");
}

TEST_F(LogFollowerTest, ACompositeFromNowOnGoesOnSinceItsBeginning) {
  scripted_.answer(kLogs + "?follow=1&from=now", sends("a1\n", StreamSource::State::failed));
  scripted_.answer(kLogs + "?follow=1&since=" + format_rfc3339(clock_.now()),
                   sends("b1\na1\n", StreamSource::State::end));
  EXPECT_EQ(follow({.id = kId, .from_now = true}, true), FollowEnd::complete);
  EXPECT_EQ(scripted_.printed(), "a1\nb1\n");
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
