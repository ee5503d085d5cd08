#include "logs/line_merger.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

class LineMergerTest : public ::testing::Test {
 protected:
  std::string add(size_t part, std::string_view bytes) {
    std::string out;
    merger_.add(part, bytes, out);
    return out;
  }
  std::string end(size_t part) {
    std::string out;
    merger_.end(part, out);
    return out;
  }

  LineMerger merger_{3};
  const std::string long_line_ = std::string(LineMerger::kLongLine, 'x');
};

TEST_F(LineMergerTest, ShowsWholeLinesOnly) {
  EXPECT_EQ(add(0, "a1\na"), "a1\n");
  EXPECT_EQ(add(1, "b1"), "");
  EXPECT_EQ(add(0, "2\n\na3"), "a2\n\n");
  EXPECT_EQ(add(1, "\n"), "b1\n");
  EXPECT_EQ(add(2, ""), "");
}

TEST_F(LineMergerTest, TheLastLineGetsItsNewline) {
  EXPECT_EQ(add(0, "a1\na2"), "a1\n");
  EXPECT_EQ(end(0), "a2\n");
  EXPECT_EQ(add(1, "b1\n"), "b1\n");
  EXPECT_EQ(end(1), "");
  EXPECT_EQ(end(2), "");
}

TEST_F(LineMergerTest, NobodyCutsIntoALongLine) {
  EXPECT_EQ(add(0, long_line_.substr(1)), "");
  EXPECT_EQ(add(0, "yz"), long_line_.substr(1) + "yz");
  EXPECT_EQ(add(1, "b1\nb2\nb"), "");
  EXPECT_EQ(end(2), "");
  EXPECT_EQ(add(0, "more"), "more");
  EXPECT_EQ(add(1, "3"), "");
  EXPECT_EQ(add(0, "end\na2\na"), "end\na2\nb1\nb2\n");
  EXPECT_EQ(add(1, "\n"), "b3\n");
  EXPECT_EQ(add(0, "3\n"), "a3\n");
}

TEST_F(LineMergerTest, ALongLineMayEndWithItsLog) {
  EXPECT_EQ(add(0, long_line_), long_line_);
  EXPECT_EQ(add(1, "b1"), "");
  EXPECT_EQ(end(1), "");
  EXPECT_EQ(add(2, "c1\n"), "");
  EXPECT_EQ(end(0), "\nb1\nc1\n");
}

TEST_F(LineMergerTest, OneLongLineFollowsAnother) {
  EXPECT_EQ(add(0, long_line_), long_line_);
  EXPECT_EQ(add(1, "b1\n" + long_line_), "");
  EXPECT_EQ(add(2, "c1\n"), "");
  EXPECT_EQ(add(0, "\n"), "\nb1\n" + long_line_);
  EXPECT_EQ(add(0, "a2\n"), "");
  EXPECT_EQ(add(1, "\n"), "\na2\nc1\n");
}

TEST_F(LineMergerTest, WantsLittleOfThoseWhoWait) {
  EXPECT_EQ(add(0, long_line_), long_line_);
  EXPECT_TRUE(merger_.wants(0));
  EXPECT_TRUE(merger_.wants(1));
  EXPECT_EQ(add(1, std::string(64 << 10, '\n')), "");
  EXPECT_FALSE(merger_.wants(1));
  EXPECT_TRUE(merger_.wants(2));
  EXPECT_EQ(add(0, "\n").size(), 1u + (64 << 10));
  EXPECT_TRUE(merger_.wants(1));
}

// However the parts are cut into pieces, each part's lines come whole and in order.
TEST_F(LineMergerTest, AnyCutGivesTheSameLines) {
  std::vector<std::string> texts(3);
  for (int line = 0; line < 200; ++line)
    for (int part = 0; part < 3; ++part)
      texts[part] += std::string(1, static_cast<char>('a' + part)) + std::string((line * 7 + part) % 50, '.') + "\n";
  uint32_t random = 1;
  std::string out;
  std::vector<size_t> at(3);
  while (at[0] < texts[0].size() || at[1] < texts[1].size() || at[2] < texts[2].size()) {
    random = random * 1664525 + 1013904223;
    size_t part = (random >> 16) % 3, size = (random >> 20) % 97;
    std::string_view piece = std::string_view(texts[part]).substr(at[part], size);
    at[part] += piece.size();
    merger_.add(part, piece, out);
  }
  std::vector<std::string> seen(3);
  for (size_t from = 0; from < out.size();) {
    size_t to = out.find('\n', from) + 1;
    seen.at(static_cast<size_t>(out[from] - 'a')) += out.substr(from, to - from);
    from = to;
  }
  EXPECT_EQ(seen, texts);
}

}  // namespace
}  // namespace plz
