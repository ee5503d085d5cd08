#include "runtime/sandbox/path_covers.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

PathCover tmp() { return {CoverKind::private_directory, "/tmp", "/run/tmp"}; }
PathCover hidden(std::string path) { return {CoverKind::hidden, std::move(path)}; }
PathCover visible(std::string path) { return {CoverKind::visible, std::move(path)}; }
PathCover writable(std::string path) { return {CoverKind::writable, std::move(path), "/cache"}; }

TEST(PathCovers, ShowsAgainWhatAPrivateDirectoryCovers) {
  EXPECT_EQ(plan_covers({visible("/tmp/project"), tmp()}), (std::vector{tmp(), visible("/tmp/project")}));
}

TEST(PathCovers, LeavesOutWhatNothingCovers) {
  EXPECT_EQ(plan_covers({visible("/home/ada"), tmp()}), std::vector{tmp()});
}

TEST(PathCovers, LeavesOutHidingWhatIsCoveredAlready) {
  EXPECT_EQ(plan_covers({hidden("/tmp/plz-1000"), tmp()}), std::vector{tmp()});
}

TEST(PathCovers, HidesBelowWhatIsShownAgain) {
  EXPECT_EQ(plan_covers({visible("/tmp/home"), hidden("/tmp/home/data"), tmp()}),
            (std::vector{tmp(), visible("/tmp/home"), hidden("/tmp/home/data")}));
}

TEST(PathCovers, ShowsAgainBelowWhatIsHidden) {
  EXPECT_EQ(plan_covers({visible("/home/ada/.local/venv"), hidden("/home/ada/.local")}),
            (std::vector{hidden("/home/ada/.local"), visible("/home/ada/.local/venv")}));
}

TEST(PathCovers, HidesRatherThanShowsOnePath) {
  EXPECT_EQ(plan_covers({visible("/tmp/x"), hidden("/tmp/x"), tmp()}), std::vector{tmp()});
  EXPECT_EQ(plan_covers({visible("/data"), hidden("/data")}), std::vector{hidden("/data")});
}

TEST(PathCovers, ShowsEnvironmentsBelowTheCache) {
  EXPECT_EQ(
      plan_covers({visible("/home/ada/.cache/venvs"), writable("/home/ada/.cache"), hidden("/home/ada/.cache/plz")}),
      (std::vector{writable("/home/ada/.cache"), visible("/home/ada/.cache/venvs")}));
}

TEST(PathCovers, KnowsNeighboursFromChildren) {
  EXPECT_EQ(plan_covers({hidden("/a"), hidden("/a/b"), hidden("/a-b")}), (std::vector{hidden("/a"), hidden("/a-b")}));
}

}  // namespace
}  // namespace plz
