#include "worker/tree_manifest.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "worker/fake_controller.h"

namespace plz {
namespace {

class TreeManifestTest : public testing::Test {
 protected:
  TreeManifestTest() {
    testing_worker::write_text(tree() + "/a", "one");
    testing_worker::write_text(tree() + "/b/c/d", "two");
    EXPECT_EQ(symlink("nowhere", (tree() + "/b/link").c_str()), 0);
  }
  std::string tree() const { return directory_.path() + "/tree"; }
  std::string file() const { return directory_.path() + "/manifest"; }
  TreeManifest record() {
    auto manifest = TreeManifest::record(tree(), kTime);
    EXPECT_TRUE(manifest) << manifest.error().message;
    return std::move(*manifest);
  }
  std::string difference(const TreeManifest& manifest) { return manifest.difference(tree()).value_or(""); }

  static constexpr FileTime kTime{std::chrono::nanoseconds(1'700'000'000'123'456'789)};
  TemporaryDirectory directory_{testing_worker::in_memory()};
};

TEST_F(TreeManifestTest, GivesEverythingItsTime) {
  const TreeManifest manifest = record();
  EXPECT_EQ(manifest.entries(), 6u);
  for (const char* name : {"", "/a", "/b", "/b/c", "/b/c/d", "/b/link"}) {
    struct stat status {};
    ASSERT_EQ(lstat((tree() + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mtim.tv_sec, 1'700'000'000) << name;
    EXPECT_EQ(status.st_mtim.tv_nsec, 123'456'789) << name;
  }
  EXPECT_EQ(difference(manifest), "");
}

TEST_F(TreeManifestTest, IsTheSameFromAFile) {
  ASSERT_TRUE(record().save(file()));
  auto loaded = TreeManifest::load(file());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->time(), kTime);
  EXPECT_EQ(difference(*loaded), "");
  auto head = TreeManifest::load_head(file());
  ASSERT_TRUE(head);
  EXPECT_EQ(head->time, kTime);
  EXPECT_EQ(head->entries, 6u);
}

TEST_F(TreeManifestTest, AFileThatIsNotWholeIsRefused) {
  ASSERT_TRUE(record().save(file()));
  const std::string whole = *read_file(file());
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(write_file_atomically(file(), whole.substr(0, size), 0600, Sync::no));
    EXPECT_FALSE(TreeManifest::load(file())) << size;
  }
}

TEST_F(TreeManifestTest, SeesWhatWasChanged) {
  const TreeManifest before = record();
  testing_worker::write_text(tree() + "/b/c/d", "2");
  EXPECT_EQ(difference(before), "b/c/d has another size");
  const TreeManifest then = record();
  testing_worker::write_text(tree() + "/a", "eno");
  EXPECT_EQ(difference(then).substr(0, 6), "a was ");
}

// Who puts back the time of modification cannot put back that of the change.
TEST_F(TreeManifestTest, SeesAChangeWhoseTimeWasPutBack) {
  const TreeManifest before = record();
  struct stat status {};
  ASSERT_EQ(stat((tree() + "/a").c_str(), &status), 0);
  // Until the clock of files, which has a resolution of some milliseconds, has gone on.
  for (struct stat now = status; now.st_ctim.tv_nsec == status.st_ctim.tv_nsec;) {
    ASSERT_EQ(chmod((tree() + "/a").c_str(), status.st_mode & 07777), 0);
    ASSERT_EQ(stat((tree() + "/a").c_str(), &now), 0);
  }
  const timespec times[2] = {status.st_atim, status.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, (tree() + "/a").c_str(), times, 0), 0);
  EXPECT_EQ(difference(before), "a was changed");
}

TEST_F(TreeManifestTest, SeesWhatIsGoneOrNew) {
  const TreeManifest before = record();
  ASSERT_EQ(unlink((tree() + "/b/link").c_str()), 0);
  EXPECT_NE(difference(before), "");
  const TreeManifest then = record();
  testing_worker::write_text(tree() + "/b/new", "");
  EXPECT_EQ(difference(then), "b was changed");
  ASSERT_TRUE(remove_tree(tree()));
  EXPECT_EQ(difference(then), "its directory is gone");
}

TEST_F(TreeManifestTest, LooksAtManyOnSeveralThreads) {
  for (int i = 0; i < 3'000; ++i) testing_worker::write_text(tree() + "/many/" + std::to_string(i), "x");
  const TreeManifest before = record();
  EXPECT_EQ(difference(before), "");
  testing_worker::write_text(tree() + "/many/2999", "xy");
  EXPECT_NE(difference(before), "");
}

}  // namespace
}  // namespace plz
