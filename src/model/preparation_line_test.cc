#include "model/preparation_line.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(PreparationLine, MarksTellWhoSpeaks) {
  EXPECT_EQ(preparation_line(PreparationVoice::info, "Pulling debian:12"), "=> Pulling debian:12\n");
  EXPECT_EQ(preparation_line(PreparationVoice::warning, "gone"), "** gone\n");
  EXPECT_EQ(warning_line({ErrorCode::invalid, "it is full", ""}), "** it is full\n");
  EXPECT_EQ(warning_line({ErrorCode::invalid, "it is full", "make room"}), "** it is full (make room)\n");
  EXPECT_EQ(preparation_line(PreparationVoice::progress, "10 of 52"), "-- 10 of 52\n");
  EXPECT_EQ(preparation_line(PreparationVoice::engine, "Step 1/2 : FROM x"), "Step 1/2 : FROM x\n");
  for (auto voice :
       {PreparationVoice::info, PreparationVoice::warning, PreparationVoice::progress, PreparationVoice::engine}) {
    std::string line = preparation_line(voice, "words");
    line.pop_back();
    EXPECT_EQ(parse_preparation_line(line).voice, voice);
    EXPECT_EQ(parse_preparation_line(line).text, "words");
  }
  EXPECT_EQ(parse_preparation_line("").voice, PreparationVoice::engine);
  EXPECT_EQ(parse_preparation_line("=>").text, "=>");
}

}  // namespace
}  // namespace plz
