#include "engine/engine_streams.h"

#include <vector>

#include <gtest/gtest.h>

namespace plz {
namespace {

using std::string_literals::operator""s;

std::string frame(char stream, const std::string& bytes) {
  std::string head(8, '\0');
  head[0] = stream;
  for (int i = 0; i < 4; ++i) head[static_cast<size_t>(7 - i)] = static_cast<char>(bytes.size() >> (8 * i));
  return head + bytes;
}

TEST(LogFrames, GiveTheBytesInWhateverPiecesTheyCome) {
  std::string big(300'000, 'b');
  std::string all = frame(1, "out\n") + frame(2, "") + frame(2, "err\n") + frame(1, big);
  for (size_t piece : {1u, 5u, 8u, 9u, 70'000u}) {
    std::string got;
    LogFrames frames([&](std::string_view bytes) -> Result<void> {
      got += bytes;
      return {};
    });
    for (size_t at = 0; at < all.size(); at += piece) ASSERT_TRUE(frames.feed(std::string_view(all).substr(at, piece)));
    EXPECT_TRUE(got == "out\nerr\n" + big);
    EXPECT_TRUE(frames.at_boundary());
  }
}

TEST(LogFrames, KnowThatOneIsIncomplete) {
  LogFrames frames([](std::string_view) -> Result<void> { return {}; });
  ASSERT_TRUE(frames.feed(frame(1, "four").substr(0, 3)));
  EXPECT_FALSE(frames.at_boundary());
  ASSERT_TRUE(frames.feed(frame(1, "four").substr(3, 7)));
  EXPECT_FALSE(frames.at_boundary());
  ASSERT_TRUE(frames.feed("ur"));
  EXPECT_TRUE(frames.at_boundary());
}

TEST(LogFrames, RefuseWhatIsNoFrame) {
  for (const std::string& bytes : {"plain text"s, "\3\0\0\0\0\0\0\1x"s, "\1\0\0\1\0\0\0\1x"s}) {
    LogFrames frames([](std::string_view) -> Result<void> { return {}; });
    auto fed = frames.feed(bytes);
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, ErrorCode::unavailable);
  }
}

TEST(JsonLines, GiveLinesInWhateverPiecesTheyCome) {
  std::string all = "{\"a\":1}\r\n\n{\"b\":2}\n  \n{\"last\":3}";
  for (size_t piece = 1; piece <= all.size(); ++piece) {
    std::vector<std::string> got;
    JsonLines lines([&](std::string_view line) -> Result<void> {
      got.emplace_back(line);
      return {};
    });
    for (size_t at = 0; at < all.size(); at += piece) ASSERT_TRUE(lines.feed(std::string_view(all).substr(at, piece)));
    ASSERT_TRUE(lines.finish());
    EXPECT_EQ(got, (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}", "{\"last\":3}"}));
  }
}

TEST(JsonLines, RefuseAnEndlessLine) {
  JsonLines lines([](std::string_view) -> Result<void> { return {}; });
  std::string piece(1 << 20, 'x');
  Result<void> fed;
  for (int i = 0; i < 20 && fed; ++i) fed = lines.feed(piece);
  EXPECT_FALSE(fed);
}

}  // namespace
}  // namespace plz
