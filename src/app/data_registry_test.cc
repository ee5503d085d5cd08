#include "app/data_registry.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class DataRegistryTest : public testing::Test {
 protected:
  DataRegistryTest() {
    places_.uid = geteuid();
    places_.home = made("home");
    places_.runtime_root = made("run");
    places_.temporary = made("tmp");
    places_.accounts = path("passwd");
  }
  std::string path(const std::string& name) const { return directory_.path(name); }
  std::string made(const std::string& name) const {
    EXPECT_TRUE(make_directories(path(name)));
    return path(name);
  }
  std::string data(const std::string& name) const {
    write(made(name) + "/format", "1\n");
    return path(name);
  }
  static void write(const std::string& path, const std::string& text) {
    EXPECT_TRUE(write_file_atomically(path, text, 0600, Sync::no));
  }
  std::string registry() const { return places_.home + "/.local/state/plz/data-directories"; }

  TemporaryDirectory directory_;
  RegistryPlaces places_;
};

TEST_F(DataRegistryTest, KnowsWhatWasEntered) {
  EXPECT_THAT(paths_of_plz(places_), IsEmpty());
  register_data_directory(data("a"), places_);
  register_data_directory(data("b"), places_);
  register_data_directory(path("a"), places_);
  EXPECT_EQ(list_directory(registry())->size(), 2u);
  EXPECT_THAT(paths_of_plz(places_), UnorderedElementsAre(path("a"), path("b"), registry()));
}

TEST_F(DataRegistryTest, KnowsWhereControllersListen) {
  register_data_directory(data("a"), places_);
  write(made("elsewhere/plz") + "/s", "");
  write(path("a/controller.address"), "pid 1\nsocket " + path("elsewhere/plz/s") + "\n");
  EXPECT_THAT(paths_of_plz(places_), Contains(path("elsewhere/plz")));
  // A directory of others stays.
  write(path("elsewhere/s"), "");
  write(path("a/controller.address"), "pid 1\nsocket " + path("elsewhere/s") + "\n");
  EXPECT_THAT(paths_of_plz(places_), Contains(path("elsewhere/s")));
  EXPECT_THAT(paths_of_plz(places_), Not(Contains(path("elsewhere"))));
}

TEST_F(DataRegistryTest, KnowsTheUsualPlaces) {
  const std::string usual = data("home/.local/share/plz");
  const std::string uid = std::to_string(places_.uid);
  const std::string sockets = made("run/" + uid + "/plz"), others = made("tmp/plz-" + uid);
  EXPECT_THAT(paths_of_plz(places_), UnorderedElementsAre(usual, sockets, others));
}

TEST_F(DataRegistryTest, ForgetsWhatHasGone) {
  register_data_directory(data("a"), places_);
  ASSERT_TRUE(remove_tree(path("a")));
  EXPECT_THAT(paths_of_plz(places_), UnorderedElementsAre(registry()));
  EXPECT_THAT(*list_directory(registry()), IsEmpty());
}

TEST_F(DataRegistryTest, PassesOverWhatIsDamaged) {
  register_data_directory(data("a"), places_);
  write(registry() + "/empty", "");
  write(registry() + "/relative", "a\n");
  write(registry() + "/half", "/us");
  write(registry() + "/nul", std::string("/\0\n", 3));
  write(registry() + "/foreign", "/usr\n");
  write(registry() + "/root", "/\n");
  write(registry() + "/large", "/" + std::string(100'000, 'x') + "\n");
  ASSERT_EQ(mkfifo((registry() + "/pipe").c_str(), 0600), 0);
  ASSERT_EQ(symlink("/etc/passwd", (registry() + "/link").c_str()), 0);
  made("home/.local/state/plz/data-directories/directory");
  EXPECT_THAT(paths_of_plz(places_), UnorderedElementsAre(path("a"), registry()));
}

TEST_F(DataRegistryTest, ThereNeedsToBeNoHome) {
  places_.home = "";
  register_data_directory(data("a"), places_);
  places_.home = path("nowhere");
  register_data_directory(path("a"), places_);
  EXPECT_THAT(paths_of_plz(places_), IsEmpty());
  EXPECT_FALSE(path_exists(path("nowhere")));
}

TEST_F(DataRegistryTest, RootKnowsEverybodys) {
  RegistryPlaces theirs = places_;
  theirs.home = made("bob");
  register_data_directory(data("b"), theirs);
  const std::string sockets = made("run/4711/plz");
  write(places_.accounts, "bob:x:4711:4711:Bob:" + theirs.home + ":/bin/sh\nbroken\nnobody:x:1:1::/:/bin/false\n");
  places_.uid = 4711;
  EXPECT_THAT(paths_of_plz(places_), Not(Contains(path("b"))));
  places_.uid = 0;
  EXPECT_THAT(paths_of_plz(places_),
              UnorderedElementsAre(path("b"), sockets, theirs.home + "/.local/state/plz/data-directories"));
}

}  // namespace
}  // namespace plz
