#include <atomic>

#include "cli/output_retrieval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli/monitored_source.h"
#include "cli/output_place.h"
#include "cli/tree_differences.h"
#include "os/temporary_directory_test.h"
#include "store/memory/memory_blob_channel.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TreeEntry file(MemoryBlobChannel& store, std::string name, const std::string& content, uint32_t mode = 0644) {
  TreeEntry entry;
  entry.name = std::move(name);
  entry.mode = mode;
  entry.bytes = content.size();
  entry.digest = store.put(content);
  return entry;
}

TreeEntry directory(MemoryBlobChannel& store, std::string name, const Tree& tree, uint32_t mode = 0755) {
  TreeEntry entry;
  entry.name = std::move(name);
  entry.kind = EntryKind::directory;
  entry.mode = mode;
  entry.digest = store.put(encode_tree(tree));
  return entry;
}

class OutputRetrievalTest : public testing::Test {
 protected:
  std::string read(const std::string& path) { return *read_file(scratch_.path(path)); }
  std::vector<std::string> names() { return *list_directory(scratch_.path()); }

  TemporaryDirectory scratch_;
  MemoryBlobChannel store_;
  const Tree tree_{
      {directory(store_, "models", Tree{{file(store_, "net.pt", "weights", 0600)}}), file(store_, "readme", "text")}};
  const Digest digest_ = store_.put(encode_tree(tree_));
};

TEST_F(OutputRetrievalTest, BringsTheWholeTree) {
  ASSERT_TRUE(retrieve_tree(digest_, scratch_.path("a/b/out"), false, store_));
  EXPECT_EQ(read("a/b/out/models/net.pt"), "weights");
  EXPECT_EQ(read("a/b/out/readme"), "text");
  EXPECT_THAT(*list_directory(scratch_.path("a/b")), ElementsAre("out"));
  EXPECT_THAT(*paths_in_tree(digest_, store_), ElementsAre("models", "models/net.pt", "readme"));
}

TEST_F(OutputRetrievalTest, AnEmptyDirectoryIsTaken) {
  ASSERT_TRUE(make_directories(scratch_.path("out")));
  ASSERT_TRUE(retrieve_tree(digest_, scratch_.path("out"), false, store_));
  EXPECT_EQ(read("out/readme"), "text");
}

TEST_F(OutputRetrievalTest, NothingIsOverwritten) {
  scratch_.write("out/precious", "keep");
  auto retrieved = retrieve_tree(digest_, scratch_.path("out"), false, store_);
  ASSERT_FALSE(retrieved);
  EXPECT_EQ(retrieved.error().code, ErrorCode::conflict);
  EXPECT_THAT(retrieved.error().message, HasSubstr("exists already"));
  EXPECT_EQ(read("out/precious"), "keep");
  EXPECT_FALSE(refuse_occupied(scratch_.path("out/precious")));
}

TEST_F(OutputRetrievalTest, ReplacesWhenAsked) {
  scratch_.write("out/old", "x");
  ASSERT_TRUE(retrieve_tree(digest_, scratch_.path("out"), true, store_));
  EXPECT_THAT(*list_directory(scratch_.path("out")), ElementsAre("models", "readme"));
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(OutputRetrievalTest, LeavesNothingBehindWhenItFails) {
  store_.erase(tree_.entries[1].digest);
  EXPECT_FALSE(retrieve_tree(digest_, scratch_.path("out"), false, store_));
  scratch_.write("kept/file", "x");
  EXPECT_FALSE(retrieve_tree(digest_, scratch_.path("kept"), true, store_));
  EXPECT_EQ(read("kept/file"), "x");
  EXPECT_THAT(names(), ElementsAre("kept"));
}

TEST_F(OutputRetrievalTest, BringsOneFile) {
  ASSERT_TRUE(retrieve_entry(file(store_, "n", "weights", 0640), scratch_.path("x/net.pt"), false, store_));
  EXPECT_EQ(read("x/net.pt"), "weights");
  struct stat status;
  ASSERT_EQ(stat(scratch_.path("x/net.pt").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST_F(OutputRetrievalTest, AReadOnlyDirectoryIsBroughtToo) {
  ASSERT_TRUE(retrieve_entry(directory(store_, "d", tree_, 0555), scratch_.path("out"), false, store_));
  struct stat status;
  ASSERT_EQ(stat(scratch_.path("out").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0555u);
  EXPECT_EQ(read("out/readme"), "text");
}

TEST_F(OutputRetrievalTest, NoOutputIsAnEmptyDirectory) {
  ASSERT_TRUE(retrieve_output(std::nullopt, scratch_.path("out"), store_));
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(OutputRetrievalTest, AnInterruptEndsIt) {
  const std::atomic<bool> interrupted = true;
  SystemClock clock;
  Messages messages(-1, MessageStyle{}, clock);
  MonitoredSource source(store_, &interrupted, messages);
  auto retrieved = retrieve_tree(digest_, scratch_.path("out"), false, source);
  ASSERT_FALSE(retrieved);
  EXPECT_EQ(retrieved.error().code, ErrorCode::cancelled);
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(OutputRetrievalTest, TellsWhatDiffersBetweenTrees) {
  const Tree other{{file(store_, "link", "x"),
                    directory(store_, "models", Tree{{file(store_, "net.pt", "others", 0600)}}),
                    file(store_, "readme", "text", 0755)}};
  std::vector<std::string> sentences;
  auto differences = tree_differences(tree_, other, store_);
  ASSERT_TRUE(differences);
  for (const auto& difference : *differences) sentences.push_back(difference_sentence(difference));
  EXPECT_THAT(sentences, ElementsAre("link: only now", "models/net.pt: other content, 7 bytes before, 6 now",
                                     "readme: mode 0644 before, 0755 now"));
  EXPECT_TRUE(tree_differences(digest_, digest_, store_)->empty());
}

TEST_F(OutputRetrievalTest, ListsADirectoryThatOnlyOneTreeHas) {
  auto differences = tree_differences(tree_, Tree{{tree_.entries[1]}}, store_);
  ASSERT_TRUE(differences);
  ASSERT_EQ(differences->size(), 2u);
  EXPECT_EQ((*differences)[1].path, "models/net.pt");
  EXPECT_FALSE((*differences)[1].after);
}

TEST_F(OutputRetrievalTest, ListsADirectoryThatIsInPlaceOfSomethingElse) {
  TreeEntry link;
  link.name = "models";
  link.kind = EntryKind::symlink;
  link.target = "elsewhere";
  Tree others = tree_;
  others.entries[0] = link;
  std::vector<std::string> sentences;
  auto tell = [&](const Tree& before, const Tree& after) {
    auto differences = tree_differences(before, after, store_);
    ASSERT_TRUE(differences);
    for (const auto& difference : *differences) sentences.push_back(difference_sentence(difference));
  };
  tell(tree_, others);
  tell(others, tree_);
  EXPECT_THAT(sentences, ElementsAre("models: a directory before, a link now", "models/net.pt: only before",
                                     "models: a link before, a directory now", "models/net.pt: only now"));
}

TEST(OutputPlace, IsNamedByTheId) {
  const ExecutionId id = *ExecutionId::parse("019aab9e-3c6f-7d52-9d0f-000000000003");
  EXPECT_EQ(output_pattern(std::nullopt, "/p"), "/p/output/%e");
  EXPECT_EQ(output_pattern("../x", "/p/q"), "/p/x");
  EXPECT_EQ(expand_output_pattern("/p/output/%e", id), "/p/output/019aab9e-3c6f-7d52-9d0f-000000000003");
  EXPECT_EQ(expand_output_pattern("/p/50%", id), "/p/50%");
}

TEST(OutputPlace, TheDirectoryAboveTheIdsIsNoCode) {
  EXPECT_EQ(output_root("/p/output/%e", "/p/output/1", "/p"), "/p/output");
  EXPECT_EQ(output_root("/p/runs/run-%e/x", "/p/runs/run-1/x", "/p"), "/p/runs");
  EXPECT_EQ(output_root("/p/fixed", "/p/fixed", "/p"), "/p/fixed");
  // All of the project would be left out.
  EXPECT_EQ(output_root("/p/%e", "/p/1", "/p"), "/p/1");
  EXPECT_EQ(output_root("/p/out-%e", "/p/out-1", "/p/q"), "/p/out-1");
  EXPECT_EQ(output_root("/%e", "/1", "/p"), "/1");
}

}  // namespace
}  // namespace plz
