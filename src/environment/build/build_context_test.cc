#include "environment/build/build_context.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/process.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class BuildContextTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& content, mode_t mode = 0644) {
    directory_.write(path, content, mode);
  }
  void link(const std::string& path, const std::string& target) {
    EXPECT_EQ(symlink(target.c_str(), (directory_.path() + "/" + path).c_str()), 0);
  }
  std::vector<ContextEntry> list(const std::string& dockerfile, const std::string& ignore = "") {
    auto entries = list_context(directory_.path(), sight_of("FROM a\n" + dockerfile), *IgnoreRules::parse(ignore));
    EXPECT_TRUE(entries) << entries.error().message;
    return *entries;
  }
  std::vector<std::string> paths(const std::string& dockerfile, const std::string& ignore = "") {
    std::vector<std::string> result;
    for (const ContextEntry& entry : list(dockerfile, ignore)) result.push_back(entry.path);
    return result;
  }
  std::string digest(const std::string& dockerfile) {
    return digest_of_context(directory_.path(), list(dockerfile))->hex();
  }
  std::string archive(std::vector<ContextEntry> entries, size_t piece = 1 << 16) {
    ContextArchive archive(directory_.path(), std::move(entries), {{"the Dockerfile", "FROM a\n"}});
    std::string bytes;
    std::vector<char> buffer(piece);
    for (;;) {
      auto size = archive.read(buffer.data(), buffer.size());
      EXPECT_TRUE(size) << size.error().message;
      if (!size || *size == 0) return bytes;
      bytes.append(buffer.data(), *size);
    }
  }

  TemporaryDirectory directory_;
};

TEST_F(BuildContextTest, HoldsWhatTheDockerfileCopies) {
  write("requirements.txt", "numpy");
  write("src/deep/a.py", "a");
  write("src/b.py", "b");
  write("other/c", "c");
  EXPECT_THAT(paths("RUN true"), IsEmpty());
  EXPECT_THAT(paths("COPY requirements.txt /x"), ElementsAre("requirements.txt"));
  EXPECT_THAT(paths("COPY src /x"), ElementsAre("src", "src/b.py", "src/deep", "src/deep/a.py"));
  EXPECT_THAT(paths("COPY src/*.py *.txt /x"), ElementsAre("requirements.txt", "src/b.py"));
  EXPECT_THAT(paths("COPY o*/c /x"), ElementsAre("other/c"));
  EXPECT_EQ(paths("COPY . /x").size(), 7u);
  EXPECT_THAT(paths("COPY absent /x"), IsEmpty());
}

TEST_F(BuildContextTest, IgnoresWhatDockerignoreSays) {
  write("src/a.py", "a");
  write("src/b.log", "b");
  write("data/big", "c");
  EXPECT_THAT(paths("COPY . /x", "data\n**/*.log"), ElementsAre("src", "src/a.py"));
  EXPECT_THAT(paths("COPY . /x", "*\n!src/a.py"), ElementsAre("src/a.py"));
  EXPECT_THAT(paths("COPY data /x", "data"), IsEmpty());
}

TEST_F(BuildContextTest, ASourceThatLeadsThroughALinkMeansEverything) {
  write("real/a", "a");
  write("else", "b");
  link("way", "real");
  EXPECT_THAT(paths("COPY way/a /x"), ElementsAre("else", "real", "real/a", "way"));
  EXPECT_THAT(paths("COPY way /x"), ElementsAre("else", "real", "real/a", "way"));
  EXPECT_THAT(paths("COPY else /x"), ElementsAre("else"));
}

TEST_F(BuildContextTest, ItsDigestIsOfWhatIsSeen) {
  write("seen", "1");
  write("unseen", "1");
  std::string before = digest("COPY seen /x");
  write("unseen", "2");
  EXPECT_EQ(digest("COPY seen /x"), before);
  chmod((directory_.path() + "/seen").c_str(), 0755);
  std::string with_mode = digest("COPY seen /x");
  EXPECT_NE(with_mode, before);
  write("seen", "2", 0755);
  EXPECT_NE(digest("COPY seen /x"), with_mode);
}

TEST_F(BuildContextTest, TheArchiveIsWhatTarReads) {
  const std::string long_name = std::string(120, 'd') + "/" + std::string(200, 'f');
  write("a", std::string(100'000, 'x'), 0755);
  write(long_name, "long");
  write("bytes-\xff\xfe", "");
  write("empty", "");
  mkdir((directory_.path() + "/hollow").c_str(), 0700);
  link("link", std::string(200, 't'));
  write("exactly", std::string(512, 'y'));
  std::string bytes = archive(list("COPY . /x"));
  EXPECT_EQ(archive(list("COPY . /x"), 7), bytes);

  TemporaryDirectory out;
  const std::string tar = out.path() + "/context.tar";
  ASSERT_TRUE(write_file_atomically(tar, bytes, 0600, Sync::no));
  SpawnOptions options{.program = *find_program("tar", "/usr/bin:/bin"),
                       .arguments = {"tar", "-xpf", tar, "-C", out.path()},
                       .stderr_fd = 2};
  auto exit = run_process(options, std::chrono::seconds(20));
  ASSERT_TRUE(exit && exit->status == 0);
  EXPECT_EQ(read_file(out.path() + "/a"), std::string(100'000, 'x'));
  EXPECT_EQ(read_file(out.path() + "/" + long_name), "long");
  EXPECT_EQ(read_file(out.path() + "/the Dockerfile"), "FROM a\n");
  auto unpacked = list_context(out.path(), sight_of("FROM a\nCOPY . /x"), *IgnoreRules::parse("context.tar\nthe *"));
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(*unpacked, list("COPY . /x"));
}

}  // namespace
}  // namespace plz
