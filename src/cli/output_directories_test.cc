#include "cli/output_directories.h"

#include <stdio.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OutputDirectoriesTest : public testing::Test {
 protected:
  std::string directory(std::string_view name) {
    EXPECT_TRUE(make_directories(root_.path(name)));
    return root_.path(name);
  }

  TemporaryDirectory root_;
  OutputDirectories record_{root_.path("data/plz")};
};

TEST_F(OutputDirectoriesTest, AreRememberedByOthers) {
  std::string results = directory("work/results"), odd = directory("work/new\nline");
  EXPECT_THAT(record_.below(root_.path("work")), IsEmpty());
  ASSERT_TRUE(record_.remember(results));
  ASSERT_TRUE(record_.remember(odd));
  ASSERT_TRUE(record_.remember(results));
  OutputDirectories other(root_.path("data/plz"));
  EXPECT_THAT(other.below(root_.path("work")), ElementsAre(odd, results));
  EXPECT_THAT(other.below("/"), ElementsAre(odd, results));
  EXPECT_THAT(other.below(results), IsEmpty()) << "strictly below";
  EXPECT_THAT(other.below(root_.path("wor")), IsEmpty());
}

TEST_F(OutputDirectoriesTest, AreForgottenWhenAnotherTakesTheName) {
  std::string results = directory("work/results");
  ASSERT_TRUE(record_.remember(results));
  ASSERT_EQ(rename(results.c_str(), root_.path("work/kept").c_str()), 0);
  EXPECT_THAT(record_.below(root_.path("work")), IsEmpty());
  directory("work/results");
  EXPECT_THAT(record_.below(root_.path("work")), IsEmpty());
}

TEST_F(OutputDirectoriesTest, KeepTheNewest) {
  for (size_t i = 0; i < OutputDirectories::kMostKept + 2; ++i)
    ASSERT_TRUE(record_.remember(directory("work/" + std::to_string(i))));
  auto kept = record_.below(root_.path("work"));
  ASSERT_EQ(kept.size(), OutputDirectories::kMostKept);
  EXPECT_EQ(kept.front(), root_.path("work/2"));
}

TEST_F(OutputDirectoriesTest, ReadADamagedRecordAsFarAsItGoes) {
  root_.write("data/plz/output-directories",
              "12 nonsense\0 \xff"
              "99999999999999999999999 1 /x");
  EXPECT_THAT(record_.below("/"), IsEmpty());
  std::string results = directory("work/results");
  ASSERT_TRUE(record_.remember(results));
  EXPECT_THAT(record_.below("/"), ElementsAre(results));
}

}  // namespace
}  // namespace plz
