#include "cli/preparation_watch.h"

#include <gmock/gmock.h>

#include "cli/scripted_session_test.h"

namespace plz {
namespace {

const std::string kLog = "GET /v1/executions/019aab9e-3c6f-7d52-9d0f-000000000003/preparation-log";

// Sends a text, and then ends or breaks off.
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

TEST(PreparationWatch, ASandboxHasNone) {
  ScriptedSession scripted;
  EXPECT_FALSE(watch_preparation(*scripted.session, kId, {}));
  EXPECT_TRUE(scripted.server->asked().empty());
}

TEST(PreparationWatch, ShowsTheWholeLogAlsoAfterABreak) {
  ScriptedSession scripted;
  scripted.answer(kLog + "?follow=1&offset=0", sends("Step 1\nSt", StreamSource::State::failed));
  scripted.answer(kLog + "?follow=1&offset=9", sends("ep 2\n** old\n", StreamSource::State::end));
  auto watch = watch_preparation(*scripted.session, kId, {"debian:12", {}, false, {}});
  ASSERT_TRUE(watch);
  watch->finish();
  EXPECT_EQ(scripted.told(), "=> Preparing the environment\nStep 1\nStep 2\n** old\n");
  EXPECT_EQ(scripted.printed(), "");
}

TEST(PreparationWatch, AnOlderControllerHasNoSuchLog) {
  ScriptedSession scripted;
  auto watch = watch_preparation(*scripted.session, kId, {"", {}, true, {}});
  ASSERT_TRUE(watch);
  watch->finish();
  EXPECT_EQ(scripted.told(), "");
}

TEST(PreparationWatch, EndsWhenNobodyAnswers) {
  ScriptedSession scripted;
  scripted.answer(kLog + "?follow=1&offset=0", sends("", StreamSource::State::failed));
  auto watch = watch_preparation(*scripted.session, kId, {"", {}, true, {}});
  ASSERT_TRUE(watch);
  watch.reset();
}

}  // namespace
}  // namespace plz
