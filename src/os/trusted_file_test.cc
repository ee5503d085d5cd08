#include "os/trusted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr uint64_t kLimit = 1000;

class TrustedFileTest : public testing::Test {
 protected:
  TrustedFileTest() : file_(root_.write("open/file", "words")) { trust_.owners = {geteuid()}; }

  // What is read, or what is said against it.
  std::string read(const std::string& path) const {
    auto text = read_trusted_file(path, trust_, kLimit);
    EXPECT_EQ(text.has_value(), check_trusted_file(path, trust_).has_value());
    if (!text) return text.error().message;
    return *text ? **text : "absent";
  }
  std::string read() const { return read(file_); }
  void open_directory(mode_t mode) const { ASSERT_EQ(chmod(root_.path("open").c_str(), mode), 0); }

  TemporaryDirectory root_;
  std::string file_;
  FileTrust trust_;
};

TEST_F(TrustedFileTest, BelievesWhatIsOurs) {
  EXPECT_EQ(read(), "words");
  EXPECT_EQ(read(root_.path("none")), "absent");
  EXPECT_EQ(read(root_.path("none/none")), "absent");
  // Ordinary where each person has a group of their own, and the umask is 002.
  ASSERT_EQ(chmod(file_.c_str(), 0664), 0);
  open_directory(0775);
  EXPECT_EQ(read(), "words");
}

TEST_F(TrustedFileTest, DoesNotBelieveWhatBelongsToAnother) {
  trust_.owners = {geteuid() + 1};
  EXPECT_THAT(read(), HasSubstr(file_ + " belongs to "));
  EXPECT_THAT(read(), HasSubstr(", not to you: nothing of it is used"));
}

TEST_F(TrustedFileTest, DoesNotBelieveWhatAllCanWriteOrReplace) {
  ASSERT_EQ(chmod(file_.c_str(), 0646), 0);
  EXPECT_EQ(read(), file_ + " can be changed by everybody: nothing of it is used");
  ASSERT_EQ(chmod(file_.c_str(), 0644), 0);
  open_directory(0777);
  EXPECT_THAT(read(), HasSubstr("lies in a directory where everybody can put another in its place"));
  open_directory(01777);
  EXPECT_EQ(read(), "words");
}

TEST_F(TrustedFileTest, HoldsLinksToTheSameRules) {
  ASSERT_TRUE(make_directories(root_.path("ours")));
  ASSERT_EQ(symlink("../open/second", root_.path("ours/link").c_str()), 0);
  ASSERT_EQ(symlink(file_.c_str(), root_.path("open/second").c_str()), 0);
  EXPECT_EQ(read(root_.path("ours/link")), "words");
  open_directory(0777);
  EXPECT_THAT(read(root_.path("ours/link")),
              HasSubstr(root_.path("open/second") + " (by the link " + root_.path("ours/link") + ") lies in"));
  ASSERT_EQ(symlink("nowhere", root_.path("ours/dangling").c_str()), 0);
  EXPECT_EQ(read(root_.path("ours/dangling")), "absent");
  ASSERT_EQ(symlink("round", root_.path("ours/round").c_str()), 0);
  EXPECT_THAT(read(root_.path("ours/round")), HasSubstr("Too many levels of symbolic links"));
}

TEST_F(TrustedFileTest, DoesNotBelieveALinkOfAnother) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make one";
  ASSERT_EQ(symlink(file_.c_str(), root_.path("link").c_str()), 0);
  ASSERT_EQ(lchown(root_.path("link").c_str(), 12345, 0), 0);
  EXPECT_THAT(read(root_.path("link")), HasSubstr(root_.path("link") + " belongs to uid 12345"));
  trust_.owners.push_back(12345);
  EXPECT_EQ(read(root_.path("link")), "words");
}

TEST_F(TrustedFileTest, BelievesAllOfASafeDirectory) {
  ASSERT_TRUE(make_directories(root_.path("open/below")));
  const std::string below = root_.write("open/below/file", "deeper");
  trust_.owners.clear();
  for (const std::string& safe : {root_.path("open"), root_.path("open/below/.."), root_.path("open/*"),
                                  root_.path() + "/*", std::string("*"), std::string("/*")}) {
    trust_.safe_directories = {"/elsewhere", safe};
    EXPECT_EQ(read(), "words") << safe;
    EXPECT_EQ(read(below) == "deeper", safe.ends_with("*")) << safe;
  }
  for (const std::string& other : {root_.path(), root_.path("op") + "/*", root_.path("open/below") + "/*"}) {
    trust_.safe_directories = {other};
    EXPECT_THAT(read(), HasSubstr("belongs to")) << other;
  }
}

TEST_F(TrustedFileTest, SaysHowItCanBeBelieved) {
  trust_.owners.clear();
  EXPECT_THAT(check_trusted_file(file_, trust_).error().hint, Not(HasSubstr("add")));
  trust_.allowed_by = "the list";
  EXPECT_THAT(check_trusted_file(file_, trust_).error().hint,
              HasSubstr("add \"" + root_.path("open") + "\" to the list"));
}

TEST_F(TrustedFileTest, ReadsWhatAShellHandsOver) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  const UniqueFd out(pipe_ends[0]);
  {
    const UniqueFd in(pipe_ends[1]);
    ASSERT_TRUE(write_all(in.get(), "piped"));
  }
  trust_.owners.push_back(0);
  auto text = read_trusted_file("/dev/fd/" + std::to_string(out.get()), trust_, kLimit);
  ASSERT_TRUE(text && *text) << text.error().message;
  EXPECT_EQ(**text, "piped");
  EXPECT_EQ(read("/dev/null"), "");
}

TEST_F(TrustedFileTest, RefusesWhatIsTooLargeOrNoFile) {
  root_.write("large", std::string(kLimit + 1, 'x'));
  EXPECT_THAT(read_trusted_file(root_.path("large"), trust_, kLimit).error().message, HasSubstr("larger than"));
  EXPECT_THAT(read_trusted_file(root_.path("open"), trust_, kLimit).error().message, HasSubstr("Is a directory"));
}

TEST(TrustedOwners, AreRootTheUserAndWhoCalledSudo) {
  EXPECT_THAT(trusted_owners(""), Contains(0u));
  EXPECT_THAT(trusted_owners(""), Contains(geteuid()));
  if (geteuid() == 0) {
    EXPECT_THAT(trusted_owners("12345"), ElementsAre(0u, 12345u));
    EXPECT_THAT(trusted_owners("12345x"), ElementsAre(0u));
  } else {
    EXPECT_THAT(trusted_owners("12345"), ElementsAre(0u, geteuid()));
  }
}

}  // namespace
}  // namespace plz
