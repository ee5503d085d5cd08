#include "environment/docker/output_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "environment/docker/build_images.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(OutputLines, AreWholeAndPrintable) {
  std::vector<std::string> said;
  Say say = [&](std::string_view line) { said.emplace_back(line); };
  OutputLines lines(say, 2);
  lines.feed("one\ntw");
  lines.feed("o\r\n10%\r55%\r100%\n\n\x1b[1mbold");
  lines.finish();
  EXPECT_THAT(said, ElementsAre("one", "two", "100%", "\\x1b[1mbold"));
  EXPECT_EQ(lines.last(), "\n  | 100%\n  | \\x1b[1mbold");
}

TEST(BuildImages, AreThoseOfThisBuild) {
  BuildImages images;
  for (const char* line :
       {"Step 1/4 : FROM debian", " ---> 0123456789ab", "Step 2/4 : RUN a", " ---> Using cache", " ---> 1123456789ab",
        "Step 3/4 : RUN b", " ---> Running in c123456789ab", " ---> 2123456789ab", "Removing intermediate container x",
        "Step 4/4 : COPY a b", " ---> 3123456789ab", "Step 5/9 : FROM 4123456789ab", " ---> 4123456789ab"})
    images.line(line);
  EXPECT_THAT(images.made().images, ElementsAre("3123456789ab", "2123456789ab"));
  EXPECT_THAT(images.made().containers, ElementsAre("c123456789ab"));
  EXPECT_THAT(BuildImages().made().images, IsEmpty());
  EXPECT_TRUE(images.line(" ---> Running in c223456789ab"));
  EXPECT_FALSE(images.line("Step 6/9 : RUN c"));
}

}  // namespace
}  // namespace plz
