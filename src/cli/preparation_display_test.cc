#include "cli/preparation_display.h"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "os/fd.h"

namespace plz {
namespace {

class PreparationDisplayTest : public testing::Test {
 protected:
  PreparationDisplayTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    read_.reset(ends[0]);
    write_.reset(ends[1]);
  }

  std::string told(bool quiet_build, std::initializer_list<std::string_view> pieces, MessageStyle style = {}) {
    Messages messages(write_.get(), style, clock_);
    PreparationDisplay display(messages, quiet_build);
    for (auto piece : pieces) {
      display.feed(piece);
      clock_.advance(std::chrono::seconds(2));
    }
    display.end();
    char buffer[4096];
    ssize_t size = read(read_.get(), buffer, sizeof buffer);
    return size > 0 ? std::string(buffer, static_cast<size_t>(size)) : "";
  }

  FakeClock clock_;
  UniqueFd read_, write_;
};

TEST_F(PreparationDisplayTest, ShowsEachVoice) {
  EXPECT_EQ(told(false, {"=> Pulling debian:12\n-- 10 of 52\nStep 1/1 : RUN echo\n** old\n"}),
            "=> Preparing the environment\n=> Pulling debian:12\nStep 1/1 : RUN echo\n** old\n");
}

TEST_F(PreparationDisplayTest, WithQuietBuildOnlyPlzSpeaks) {
  EXPECT_EQ(told(true, {"=> Building\nStep 1/1 : RUN echo\n", "** old\n"}),
            "=> Preparing the environment\n=> Building\n** old\n");
}

TEST_F(PreparationDisplayTest, NothingIsSaidWhereNothingIsToBeDone) {
  EXPECT_EQ(told(false, {}), "");
  EXPECT_EQ(told(false, {"** old\n"}), "** old\n");
}

TEST_F(PreparationDisplayTest, PutsLinesTogether) {
  EXPECT_EQ(told(false, {"=", "> Bui", "lding\nSt", "ep 1\n\nlast"}),
            "=> Preparing the environment\n=> Building\nStep 1\n\nlast\n");
}

TEST_F(PreparationDisplayTest, OfALineThatWasWrittenOverTheLastStateCounts) {
  EXPECT_EQ(told(false, {"10 %\r50 %\r100 %\r\n"}), "=> Preparing the environment\n100 %\n");
}

TEST_F(PreparationDisplayTest, ProgressIsForTerminals) {
  const std::string said = told(false, {"-- 10 of 52\n", "-- 20 of 52\n"}, {.terminal = true});
  EXPECT_EQ(said, "=> Preparing the environment\n\r\033[K20 of 52\r\033[K");
}

}  // namespace
}  // namespace plz
