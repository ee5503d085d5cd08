#include "worker/steps/working_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class WorkingFilesTest : public testing::Test {
 protected:
  WorkingFilesTest() {
    for (const char* name : {"code", "copy", "output"}) EXPECT_TRUE(make_directories(root_.path(name)));
  }
  // Of the code, and as copied: with its time.
  void captured(const std::string& name, const std::string& content) {
    root_.write("code/" + name, content);
    root_.write("copy/" + name, content);
    struct stat status {};
    ASSERT_EQ(stat(root_.path("code/" + name).c_str(), &status), 0);
    const timespec times[2] = {status.st_atim, status.st_mtim};
    ASSERT_EQ(utimensat(AT_FDCWD, root_.path("copy/" + name).c_str(), times, 0), 0);
  }
  WorkingFiles take(const std::vector<std::string>& outputs, bool changes_only = false) {
    return take_working_files({{root_.path("copy"), changes_only}, root_.path("code"), root_.path("output"), {}},
                              outputs);
  }
  std::string output(const std::string& name) { return read_file(root_.path("output/" + name)).value_or("absent"); }
  static std::vector<std::string> paths(const WorkingFiles& files) {
    std::vector<std::string> all;
    for (const auto& file : files.largest) all.push_back(file.path);
    return all;
  }

  TemporaryDirectory root_;
};

TEST_F(WorkingFilesTest, WhatIsGoneIsTold) {
  captured("train.py", "print(1)");
  captured("data/kept.txt", "as it was");
  root_.write("copy/runs/1/best.ckpt", std::string(5000, 'x'));
  root_.write("copy/log.txt", "one");
  root_.write("copy/train.py", "print(2)");
  root_.write("copy/__pycache__/train.pyc", "cache");
  ASSERT_EQ(symlink("log.txt", root_.path("copy/latest").c_str()), 0);
  const WorkingFiles files = take({});
  EXPECT_EQ(files.left, 4u);
  EXPECT_THAT(paths(files), ElementsAre("runs/1/best.ckpt", "train.py", "latest", "log.txt"));
  EXPECT_THAT(working_file_notes(files),
              ElementsAre(AllOf(
                  HasSubstr("Gone with the job's working directory: runs/1/best.ckpt (4.9 KiB), train.py (8 bytes)"),
                  HasSubstr("\"outputs\": [\".\"]"))));
  EXPECT_EQ(output("log.txt"), "absent");
}

TEST_F(WorkingFilesTest, NothingIsSaidWhereNothingIsLeft) {
  captured("train.py", "print(1)");
  ASSERT_EQ(symlink("train.py", root_.path("code/link").c_str()), 0);
  ASSERT_EQ(symlink("train.py", root_.path("copy/link").c_str()), 0);
  ASSERT_TRUE(make_directories(root_.path("copy/empty")));
  root_.write("copy/pkg/__pycache__/a.pyc", "cache");
  // Written anew, with what was in it.
  captured("same.txt", "same");
  root_.write("copy/same.txt", "same");
  for (const bool layer : {false, true}) EXPECT_THAT(working_file_notes(take({}, layer)), IsEmpty());
}

TEST_F(WorkingFilesTest, WhatMatchesGoesToTheOutput) {
  captured("checkpoints/readme", "captured");
  captured("train.py", "print(1)");
  root_.write("copy/checkpoints/last.ckpt", "weights");
  root_.write("copy/runs/1/events", "events");
  root_.write("copy/other", "gone");
  ASSERT_TRUE(make_directories(root_.path("copy/runs/empty")));
  const WorkingFiles files = take({"checkpoints", "runs/**"});
  EXPECT_EQ(output("checkpoints/last.ckpt"), "weights");
  EXPECT_EQ(output("runs/1/events"), "events");
  EXPECT_TRUE(path_exists(root_.path("output/runs/empty")));
  EXPECT_EQ(output("checkpoints/readme"), "absent");
  EXPECT_THAT(paths(files), ElementsAre("other"));
  EXPECT_THAT(working_file_notes(files), ElementsAre(HasSubstr("other (4 bytes); \"outputs\": [\"other\"]")));
  // Done again, as by a worker that was killed in between.
  EXPECT_THAT(paths(take({"checkpoints", "runs/**"})), ElementsAre("other"));
  EXPECT_EQ(output("runs/1/events"), "events");
}

TEST_F(WorkingFilesTest, AllIsWhatTheJobMadeOrChanged) {
  captured("train.py", "print(1)");
  captured("config.yaml", "lr: 1");
  root_.write("copy/config.yaml", "lr: 2");
  root_.write("copy/new/file", "new");
  root_.write("copy/__pycache__/a.pyc", "cache");
  EXPECT_THAT(working_file_notes(take({"."})), IsEmpty());
  EXPECT_EQ(output("config.yaml"), "lr: 2");
  EXPECT_EQ(output("new/file"), "new");
  EXPECT_EQ(output("train.py"), "absent");
  EXPECT_FALSE(path_exists(root_.path("output/__pycache__")));
  take({"**/__pycache__"});
  EXPECT_EQ(output("__pycache__/a.pyc"), "cache");
}

TEST_F(WorkingFilesTest, TheOutputsOwnFilesStay) {
  root_.write("copy/runs/a", "of the working directory");
  root_.write("copy/runs/b", "only there");
  root_.write("copy/file/inner", "x");
  root_.write("output/runs/a", "of the output");
  root_.write("output/file", "a file");
  const WorkingFiles files = take({"."});
  EXPECT_EQ(output("runs/a"), "of the output");
  EXPECT_EQ(output("runs/b"), "only there");
  EXPECT_EQ(output("file"), "a file");
  EXPECT_THAT(
      working_file_notes(files),
      ElementsAre("The output has files of its own in place of these of the working directory: file/inner, runs/a"));
}

TEST_F(WorkingFilesTest, LinksLeadNowhere) {
  root_.write("outside/secret", "secret");
  ASSERT_EQ(symlink(root_.path("outside").c_str(), root_.path("copy/runs").c_str()), 0);
  ASSERT_TRUE(make_directories(root_.path("copy/models")));
  root_.write("copy/models/net", "weights");
  ASSERT_EQ(symlink(root_.path("outside").c_str(), root_.path("output/models").c_str()), 0);
  const WorkingFiles files = take({"runs", "models/**"});
  // The link itself is what the job made.
  char target[4096] = {};
  ASSERT_GT(readlink(root_.path("output/runs").c_str(), target, sizeof target), 0);
  EXPECT_EQ(target, root_.path("outside"));
  EXPECT_THAT(*list_directory(root_.path("outside")), ElementsAre("secret"));
  EXPECT_EQ(files.collided, 1u);
}

TEST_F(WorkingFilesTest, DirectoriesWithoutPermissionAreKept) {
  root_.write("copy/sealed/file", "x");
  ASSERT_EQ(chmod(root_.path("copy/sealed").c_str(), 0555), 0);
  ASSERT_EQ(chmod(root_.path("copy").c_str(), 0555), 0);
  EXPECT_THAT(working_file_notes(take({"sealed"})), IsEmpty());
  EXPECT_EQ(output("sealed/file"), "x");
  struct stat status {};
  ASSERT_EQ(stat(root_.path("output/sealed").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0555u);
  ASSERT_EQ(chmod(root_.path("output/sealed").c_str(), 0755), 0);
}

// cp -p and mv take the times of what they copy, and all of a tree has one.
TEST_F(WorkingFilesTest, OtherBytesOfTheSameSizeAndTimeAreAChange) {
  for (bool changes_only : {true, false}) {
    captured("best.pt", "one");
    captured("last.pt", "two");
    root_.write("copy/last.pt", "one");
    const timespec same[2] = {{1'600'000'000, 0}, {1'600'000'000, 0}};
    for (const char* path : {"code/last.pt", "copy/last.pt"})
      ASSERT_EQ(utimensat(AT_FDCWD, root_.path(path).c_str(), same, 0), 0);
    EXPECT_THAT(paths(take({}, changes_only)), ElementsAre("last.pt"));
  }
  EXPECT_EQ(take({"*.pt"}, true).kept, 1u);
  EXPECT_EQ(output("last.pt"), "one");
}

TEST_F(WorkingFilesTest, WhatTheJobMayNotEnterItselfIsLookedAt) {
  root_.write("copy/closed/deep/file", "x");
  ASSERT_EQ(chmod(root_.path("copy/closed").c_str(), 0), 0);
  ASSERT_EQ(chmod(root_.path("copy").c_str(), 0), 0);
  EXPECT_THAT(paths(take({})), ElementsAre("closed/deep/file"));
  ASSERT_EQ(chmod(root_.path("copy").c_str(), 0), 0);
  EXPECT_EQ(take({"."}).kept, 1u);
  EXPECT_EQ(output("closed/deep/file"), "x");
}

TEST_F(WorkingFilesTest, HowMuchIsLookedAtIsBounded) {
  for (int i = 0; i < 25'000; ++i) {
    UniqueFd file(open(root_.path("copy/f" + std::to_string(i)).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    ASSERT_TRUE(file);
  }
  root_.write("copy/wanted/file", "x");
  WorkingFiles files = take({});
  EXPECT_TRUE(files.more);
  EXPECT_LE(files.left, 20'000u);
  EXPECT_THAT(working_file_notes(files), ElementsAre(HasSubstr("at least")));
  files = take({"wanted"});
  EXPECT_EQ(output("wanted/file"), "x");
  EXPECT_EQ(take({"f*"}).kept, 25'000u);
}

}  // namespace
}  // namespace plz
