#include <gmock/gmock.h>

#include "store/capture.h"
#include "store/capture/scratch_tree_test.h"

namespace plz {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Lines = std::vector<std::string>;

class CaptureLinksTest : public ScratchTree {
 protected:
  void link(const std::string& target, const std::string& path) {
    ASSERT_TRUE(make_directories(parent_path(in_root(path))));
    ASSERT_EQ(symlink(target.c_str(), in_root(path).c_str()), 0);
  }
  void outside(const std::string& path, const std::string& content) {
    ASSERT_TRUE(make_directories(parent_path(out(path))));
    ASSERT_TRUE(write_file_atomically(out(path), content, 0644, Sync::no));
  }
  std::string out(const std::string& path) { return in_root("../outside/" + path); }
  Lines lines() { return listing(captured().tree); }
};

TEST_F(CaptureLinksTest, NamesThoseThatLeadOut) {
  write("in", "x");
  outside("a", "a");
  link("in", "fine");
  link("nowhere", "dangling");
  link("../outside/a", "b/../out");
  for (const char* name : {"s/1", "s/2", "s/3"}) link("../../outside", name);
  EXPECT_THAT(captured().link_warnings,
              ElementsAre("4 links lead out of what is captured, and stay links: out -> ../outside/a, s/1 -> "
                          "../../outside, s/2 -> ../../outside and 1 more."));
  EXPECT_EQ(captured().link_warnings.size(), 1u);  // also when nothing has changed
}

TEST_F(CaptureLinksTest, FollowsThoseThatLeadOut) {
  options_.follow_links = FollowLinks::outward;
  write("in", "x");
  outside("d/a", "one");
  ASSERT_EQ(symlink("a", out("d/inner").c_str()), 0);
  link("in", "fine");
  link("../outside/d", "directory");
  link("../outside/d/a", "file");
  link("../nowhere", "dangling");
  const Lines expected{"dangling l -> ../nowhere",
                       "directory d755 ",
                       "directory/a f644 one",
                       "directory/inner l -> a",
                       "file f644 one",
                       "fine l -> in",
                       "in f644 x"};
  EXPECT_EQ(lines(), expected);
  EXPECT_EQ(lines(), expected);
  EXPECT_THAT(captured().link_warnings, ElementsAre(HasSubstr("dangling -> ../nowhere (it leads to nothing)")));
}

TEST_F(CaptureLinksTest, NoticesWhatChangesBehindThem) {
  options_.follow_links = FollowLinks::outward;
  outside("d/a", "one");
  link("../outside/d/a", "file");
  link("../outside/d", "directory");
  EXPECT_THAT(lines(), Contains("file f644 one"));
  {
    UniqueFd fd(open(out("d/a").c_str(), O_WRONLY));
    ASSERT_TRUE(write_all(fd.get(), "two"));
  }  // in place
  EXPECT_THAT(lines(), ElementsAre("directory d755 ", "directory/a f644 two", "file f644 two"));
  outside("d/a", "new");  // replaced
  EXPECT_THAT(lines(), ElementsAre("directory d755 ", "directory/a f644 new", "file f644 new"));
  options_.follow_links = FollowLinks::never;
  EXPECT_THAT(lines(), ElementsAre("directory l -> ../outside/d", "file l -> ../outside/d/a"));
}

TEST_F(CaptureLinksTest, GoesRoundNoCircle) {
  options_.follow_links = FollowLinks::outward;
  write("in", "x");
  outside("d/a", "one");
  ASSERT_EQ(symlink(in_root("").c_str(), out("d/back").c_str()), 0);
  link("../outside/d", "on");
  EXPECT_THAT(lines(), Contains("on/a f644 one"));
  EXPECT_THAT(captured().link_warnings, ElementsAre(HasSubstr("leads round to where it began")));
}

TEST_F(CaptureLinksTest, FollowsTheLinksOfASnapshot) {
  const std::string repository = in_root("models--org--name/");
  write("models--org--name/blobs/abc", "weights");
  write("models--org--name/secret", "s");
  link("../../blobs/abc", "models--org--name/snapshots/r1/model.bin");
  link("../../../blobs/abc", "models--org--name/snapshots/r1/sub/model.bin");
  link("../../secret", "models--org--name/snapshots/r1/other");
  options_.stat_cache_path.clear();
  auto result = capture(repository + "snapshots/r1", options_, channel_);
  ASSERT_TRUE(result);
  EXPECT_THAT(listing(result->tree), Contains("model.bin l -> ../../blobs/abc"));
  options_.follow_links = FollowLinks::hugging_face;
  result = capture(repository + "snapshots/r1", options_, channel_);
  ASSERT_TRUE(result);
  EXPECT_EQ(listing(result->tree),
            (Lines{"model.bin f644 weights", "other l -> ../../secret", "sub d755 ", "sub/model.bin f644 weights"}));
  EXPECT_THAT(result->link_warnings,
              ElementsAre(HasSubstr("1 link leads out of what is captured, and stays a link: other")));
}

TEST_F(CaptureLinksTest, MakesLinksIntoTheRootRelative) {
  write("d/in", "x");
  link(in_root("d/in"), "d/e/absolute");
  link("/plz/output/d/in", "d/mine");
  options_.link_root = "/plz/output";
  options_.link_places = {"/plz/output", "/src"};
  link("/src/a", "code");
  auto result = captured();
  EXPECT_THAT(listing(result.tree), Contains("d/e/absolute l -> ../in"));
  EXPECT_THAT(listing(result.tree), Contains("d/mine l -> in"));
  EXPECT_THAT(listing(result.tree), Contains("code l -> ../../src/a"));
  EXPECT_THAT(result.link_warnings, ElementsAre(HasSubstr("code -> /src/a")));
}

// As where the job's working directory is kept: what was below /src is in the output now.
TEST_F(CaptureLinksTest, MakesLinksToWhatWasTakenIntoTheRootRelative) {
  write("ck/e1/weights", "x");
  link("/src/ck/e1", "ck/last");
  link("/src/ck/gone", "ck/lost");
  options_.link_root = "/plz/output";
  options_.link_places = {"/plz/output", "/src"};
  auto result = captured();
  EXPECT_THAT(listing(result.tree), Contains("ck/last l -> e1"));
  EXPECT_THAT(listing(result.tree), Contains("ck/lost l -> ../../../src/ck/gone"));
  EXPECT_THAT(result.link_warnings,
              ElementsAre(HasSubstr("1 link leads out of what is captured, and stays a link: ck/lost")));
}

}  // namespace
}  // namespace plz
