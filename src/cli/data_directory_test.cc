#include "cli/data_directory.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::HasSubstr;

TEST(DataDirectory, IsFoundInOrder) {
  EnvironmentVariables environment = {{"HOME", "/home/ada"}};
  EXPECT_EQ(data_directory_of(environment, "/work"), "/home/ada/.local/share/plz");
  environment.emplace_back("XDG_DATA_HOME", "/data/ada");
  EXPECT_EQ(data_directory_of(environment, "/work"), "/data/ada/plz");
  environment.emplace_back("PLZ_DATA_DIR", "mine");
  EXPECT_EQ(data_directory_of(environment, "/work"), "/work/mine");
}

TEST(DataDirectory, IgnoresWhatIsNoAbsolutePath) {
  EXPECT_EQ(data_directory_of({{"HOME", "/h"}, {"XDG_DATA_HOME", "relative"}, {"PLZ_DATA_DIR", ""}}, "/work"),
            "/h/.local/share/plz");
  auto nowhere = data_directory_of({}, "/work");
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().hint, HasSubstr("PLZ_DATA_DIR"));
}

TEST(DataDirectory, IsMadeForItsOwnerOnly) {
  TemporaryDirectory directory;
  ASSERT_TRUE(prepare_data_directory(directory.path("a/b")));
  struct stat status;
  ASSERT_EQ(stat(directory.path("a/b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST(DataDirectory, AFileInItsPlaceIsAnErrorWithARemedy) {
  TemporaryDirectory directory;
  directory.write("file", "x");
  auto prepared = prepare_data_directory(directory.path("file/plz"));
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error().hint, HasSubstr("PLZ_DATA_DIR"));
}

class SocketPathTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  const std::string own_ = directory_.path(fmt::format("plz-{}", geteuid()));
};

TEST_F(SocketPathTest, LiesInTheRuntimeDirectory) {
  auto path = socket_path_of("/data", {{"XDG_RUNTIME_DIR", directory_.path()}}, "/nowhere");
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_THAT(*path, testing::StartsWith(directory_.path("plz/controller-")));
}

TEST_F(SocketPathTest, LiesInATemporaryDirectoryOtherwise) {
  for (const std::string& runtime : {std::string(), std::string("/does/not/exist"), std::string("relative"),
                                     directory_.path(std::string(100, 'x'))}) {
    (void)make_directories(directory_.path(std::string(100, 'x')));
    auto path = socket_path_of("/data", {{"XDG_RUNTIME_DIR", runtime}}, directory_.path());
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_THAT(*path, testing::StartsWith(own_ + "/controller-"));
    EXPECT_LT(path->size(), 108u);
  }
}

TEST_F(SocketPathTest, DiffersByDataDirectory) {
  EXPECT_NE(*socket_path_of("/data/a", {}, directory_.path()), *socket_path_of("/data/b", {}, directory_.path()));
  EXPECT_EQ(*socket_path_of("/data/a", {}, directory_.path()), *socket_path_of("/data/a", {}, directory_.path()));
}

TEST_F(SocketPathTest, ADirectoryOpenToOthersIsRefused) {
  ASSERT_EQ(mkdir(own_.c_str(), 0700), 0);
  ASSERT_EQ(chmod(own_.c_str(), 0755), 0);
  auto path = socket_path_of("/data", {}, directory_.path());
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("open to others"));
  EXPECT_THAT(path.error().hint, HasSubstr("chmod 700"));
}

TEST_F(SocketPathTest, ALinkIsRefused) {
  ASSERT_EQ(mkdir(directory_.path("elsewhere").c_str(), 0700), 0);
  ASSERT_EQ(symlink(directory_.path("elsewhere").c_str(), own_.c_str()), 0);
  auto path = socket_path_of("/data", {}, directory_.path());
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("is no directory"));
}

TEST_F(SocketPathTest, AnothersDirectoryIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  ASSERT_EQ(mkdir(own_.c_str(), 0700), 0);
  ASSERT_EQ(chown(own_.c_str(), 12345, 12345), 0);
  auto path = socket_path_of("/data", {}, directory_.path());
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("uid 12345"));
}

}  // namespace
}  // namespace plz
