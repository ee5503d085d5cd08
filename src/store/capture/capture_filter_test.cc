#include <map>

#include "store/capture.h"
#include "store/capture/scratch_tree_test.h"

namespace plz {
namespace {

using Lines = std::vector<std::string>;
using Verdict = CaptureFilter::Verdict;

class TableFilter final : public CaptureFilter {
 public:
  Verdict judge(std::string_view path, bool is_directory) const override {
    std::string key = std::string(path) + (is_directory ? "/" : "");
    auto found = table.find(key);
    return found == table.end() ? Verdict::include : found->second;
  }
  std::map<std::string, Verdict> table;
};

class CaptureFilterTest : public ScratchTree {
 protected:
  void SetUp() override {
    ScratchTree::SetUp();
    options_.filter = &filter_;
    write("main.py", "1");
    write("build/a.o", "2");
    write("build/keep/this", "3");
    write("data/one", "4");
  }
  Lines paths() {
    Lines lines;
    auto entries = list_tree(captured().tree, channel_);
    for (auto& entry : *entries) lines.push_back(entry.path);
    return lines;
  }
  TableFilter filter_;
};

TEST_F(CaptureFilterTest, LeavesOutFilesAndWholeDirectories) {
  filter_.table = {{"build/", Verdict::exclude}, {"data/one", Verdict::exclude}};
  EXPECT_EQ(paths(), (Lines{"data", "main.py"}));
}

TEST_F(CaptureFilterTest, KeepsALookedIntoDirectoryOnlyForWhatIsInIt) {
  filter_.table = {{"build/", Verdict::look_inside},
                   {"build/a.o", Verdict::exclude},
                   {"data/", Verdict::look_inside},
                   {"data/one", Verdict::exclude}};
  EXPECT_EQ(paths(), (Lines{"build", "build/keep", "build/keep/this", "main.py"}));
  filter_.table["build/keep/"] = Verdict::look_inside;
  filter_.table["build/keep/this"] = Verdict::exclude;
  EXPECT_EQ(paths(), Lines{"main.py"});
  EXPECT_EQ(paths(), Lines{"main.py"});
}

TEST_F(CaptureFilterTest, AChangedFilterIsNoticedByTheCache) {
  Lines all = {"build", "build/a.o", "build/keep", "build/keep/this", "data", "data/one", "main.py"};
  EXPECT_EQ(paths(), all);
  filter_.table = {{"build/a.o", Verdict::exclude}};
  EXPECT_EQ(paths().size(), 6u);
  filter_.table = {
      {"build/", Verdict::look_inside}, {"build/a.o", Verdict::exclude}, {"build/keep/", Verdict::exclude}};
  EXPECT_EQ(paths().size(), 3u);
  filter_.table.clear();
  EXPECT_EQ(paths(), all);
}

TEST_F(CaptureFilterTest, AsksOneQuestionWhenNothingChangedUnderAFilter) {
  filter_.table = {{"build/", Verdict::look_inside},
                   {"build/a.o", Verdict::exclude},
                   {"data/", Verdict::look_inside},
                   {"data/one", Verdict::exclude}};
  captured();
  auto before = channel_.counts();
  captured();
  EXPECT_EQ(channel_.counts().digests_asked, before.digests_asked + 1);
}

TEST_F(CaptureFilterTest, IsListedWithWhatIsLeftOut) {
  filter_.table = {{"build/", Verdict::look_inside}, {"build/a.o", Verdict::exclude}, {"data/", Verdict::exclude}};
  ASSERT_EQ(mkfifo(in_root("fifo").c_str(), 0600), 0);
  auto listing = list_capture(root_, options_);
  ASSERT_TRUE(listing);
  Lines captured, left_out;
  for (auto& file : listing->captured) captured.push_back(file.path + (file.is_directory ? "/" : ""));
  for (auto& file : listing->left_out) left_out.push_back(file.path);
  EXPECT_EQ(captured, (Lines{"build/", "build/keep/", "build/keep/this", "main.py"}));
  EXPECT_EQ(left_out, (Lines{"build/a.o", "data/", "fifo"}));
}

}  // namespace
}  // namespace plz
