#include "cli/messages.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "os/fd.h"

namespace plz {
namespace {

// Collects what is said through a pipe.
class MessagesTest : public testing::Test {
 protected:
  MessagesTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    read_.reset(ends[0]);
    write_.reset(ends[1]);
  }

  Messages messages(MessageStyle style) { return Messages(write_.get(), style, clock_); }
  std::string said() {
    char buffer[4096];
    ssize_t size = read(read_.get(), buffer, sizeof buffer);
    return size > 0 ? std::string(buffer, static_cast<size_t>(size)) : "";
  }

  FakeClock clock_;
  UniqueFd read_, write_;
};

TEST_F(MessagesTest, ArePlainOffATerminal) {
  Messages out(write_.get(), {}, clock_);
  out.info("Capturing the files in /home/ada/digits");
  out.warning("no git");
  out.error("it broke");
  out.plain("");
  EXPECT_EQ(said(), "=> Capturing the files in /home/ada/digits\n** no git\n!! it broke\n\n");
}

TEST_F(MessagesTest, BeginWithAnEmojiOnATerminal) {
  Messages out(write_.get(), {.terminal = true, .emojis = true}, clock_);
  out.info("Done and dusted.");
  EXPECT_EQ(said(), "👌 Done and dusted.\n");
}

TEST_F(MessagesTest, ColourWarningsAndErrorsAlone) {
  Messages out(write_.get(), {.terminal = true, .colours = true}, clock_);
  out.info("a");
  out.error("b");
  EXPECT_EQ(said(), "=> a\n\033[31m!! b\033[0m\n");
}

TEST_F(MessagesTest, ShowAnErrorsHintOnALineOfItsOwn) {
  Messages out(write_.get(), {}, clock_);
  out.error(Error{ErrorCode::invalid, "unknown key \"comand\"", "did you mean \"command\"?"});
  out.error(Error{ErrorCode::internal, "no hint", ""});
  EXPECT_EQ(said(), "!! unknown key \"comand\"\n   did you mean \"command\"?\n!! no hint\n");
}

TEST_F(MessagesTest, LetNoControlCharacterThrough) {
  Messages out(write_.get(), {}, clock_);
  out.info("a\033[2Jb\xff");
  EXPECT_EQ(said(), "=> a\\x1b[2Jb\\xff\n");
}

TEST_F(MessagesTest, ShowProgressAfterASecondAndTenTimesASecond) {
  Messages out(write_.get(), {.terminal = true}, clock_);
  out.progress("1");
  clock_.advance(std::chrono::milliseconds(999));
  out.progress("2");
  EXPECT_EQ(said(), "");
  clock_.advance(std::chrono::milliseconds(1));
  out.progress("3");
  EXPECT_EQ(said(), "\r\033[K3");
  clock_.advance(std::chrono::milliseconds(50));
  out.progress("4");
  EXPECT_EQ(said(), "");
  out.info("x");
  EXPECT_EQ(said(), "\r\033[K=> x\n");
  clock_.advance(std::chrono::milliseconds(50));
  out.progress("5");
  EXPECT_EQ(said(), "\r\033[K5");
  out.end_progress();
  EXPECT_EQ(said(), "\r\033[K");
  clock_.advance(std::chrono::milliseconds(500));
  out.progress("another thing starts anew");
  EXPECT_EQ(said(), "");
}

TEST_F(MessagesTest, CutProgressToTheWidth) {
  Messages out(write_.get(), {.terminal = true}, clock_);
  out.progress("");
  clock_.advance(std::chrono::seconds(2));
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "é";
  out.progress(wide);
  EXPECT_EQ(said(), "\r\033[K" + wide.substr(0, 2 * 79));
}

TEST_F(MessagesTest, ShowNoProgressOffATerminal) {
  Messages out(write_.get(), {}, clock_);
  out.progress("1");
  clock_.advance(std::chrono::seconds(5));
  out.progress("2");
  out.end_progress();
  EXPECT_EQ(said(), "");
}

TEST_F(MessagesTest, AreDroppedWhereNobodyReads) {
  Messages out(-1, {}, clock_);
  out.info("nobody hears this");
}

TEST(MessageStyle, DependsOnTheDescriptorAndTheEnvironment) {
  UniqueFd terminal(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reader(ends[0]), writer(ends[1]);

  MessageStyle style = MessageStyle::of(terminal.get(), true, {{"TERM", "xterm"}});
  EXPECT_TRUE(style.terminal && style.emojis && style.colours);
  EXPECT_FALSE(MessageStyle::of(terminal.get(), false, {}).emojis);
  EXPECT_FALSE(MessageStyle::of(terminal.get(), true, {{"NO_COLOR", "1"}}).colours);
  EXPECT_TRUE(MessageStyle::of(terminal.get(), true, {{"NO_COLOR", ""}}).colours);
  EXPECT_FALSE(MessageStyle::of(terminal.get(), true, {{"TERM", "dumb"}}).terminal);
  style = MessageStyle::of(writer.get(), true, {});
  EXPECT_FALSE(style.terminal || style.emojis || style.colours);
}

}  // namespace
}  // namespace plz
