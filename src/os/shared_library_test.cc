#include "os/shared_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::MatchesRegex;
using testing::StartsWith;

std::string number_bytes(uint64_t value, size_t bytes) {
  return std::string(reinterpret_cast<const char*>(&value), bytes);
}

// As ldconfig writes it: the older format's beginning, then entries of which offsets count from the newer one's.
std::string loader_cache(const std::vector<std::tuple<uint32_t, uint64_t, std::string, std::string>>& entries) {
  std::string head = "glibc-ld.so.cache1.1" + number_bytes(entries.size(), 4) + std::string(24, '\0'), table, texts;
  const size_t base = head.size() + entries.size() * 24;
  for (const auto& [flags, hwcap, name, path] : entries) {
    const size_t key = base + texts.size();
    texts += name + '\0';
    table += number_bytes(flags, 4) + number_bytes(key, 4) + number_bytes(base + texts.size(), 4) + number_bytes(0, 4) +
             number_bytes(hwcap, 8);
    texts += path + '\0';
  }
  return std::string("ld.so-1.7.0\0\0\0\0\0", 16) + head + table + texts;
}

#if defined(__x86_64__)
constexpr uint32_t kOwnFlags = 0x0303, kOtherFlags = 0x0a03;
#else
constexpr uint32_t kOwnFlags = 0x0a03, kOtherFlags = 0x0303;
#endif

TEST(SharedLibraryTest, TheLoadersCacheIsReadForThisMachine) {
  const std::string cache = loader_cache({{kOtherFlags, 0, "libx.so.1", "/other/libx.so.1"},
                                          {kOwnFlags, 1ull << 62, "libx.so.1", "/v3/libx.so.1"},
                                          {kOwnFlags, 0, "libxx.so.1", "/lib/libxx.so.1"},
                                          {kOwnFlags, 0, "libx.so.1", "/lib/libx.so.1"}});
  EXPECT_EQ(path_in_loader_cache(cache, "libx.so.1"), "/lib/libx.so.1");
  EXPECT_EQ(path_in_loader_cache(cache, "liby.so.1"), std::nullopt);
  for (size_t length = 0; length < cache.size(); ++length)
    (void)path_in_loader_cache(std::string_view(cache).substr(0, length), "libx.so.1");
  EXPECT_EQ(path_in_loader_cache("", "libx.so.1"), std::nullopt);
}

class SharedLibrarySearchTest : public testing::Test {
 protected:
  // This test itself is an ELF file of this machine.
  std::string library(const std::string& path) {
    EXPECT_TRUE(make_directories(root_.path(parent_path(path))));
    return root_.write(path, *read_file("/proc/self/exe", 1u << 30), 0755);
  }
  std::string found(const std::string& library_path, const std::string& name) {
    const auto library = SharedLibrarySearch(library_path, root_.path(), root_.path() + "/").find(name);
    return library ? library->path : "";
  }
  TemporaryDirectory root_;
};

TEST_F(SharedLibrarySearchTest, GoesTheLoadersWay) {
  const std::string standard = library("usr/lib64/libblas.so.3");
  EXPECT_EQ(found("", "libblas.so.3"), standard);
  const std::string reference = library("opt/reference");
  const std::string alternative = root_.path("opt/libblas.so.3");
  ASSERT_EQ(symlink("reference", alternative.c_str()), 0);
  ASSERT_TRUE(make_directories(root_.path("etc")));
  root_.write("etc/ld.so.cache", loader_cache({{kOwnFlags, 0, "libblas.so.3", "/opt/libblas.so.3"}}));
  EXPECT_EQ(found("", "libblas.so.3"), reference);

  const std::string own = library("own/libblas.so.3");
  ASSERT_TRUE(make_directories(root_.path("text")));
  root_.write("text/libblas.so.3", "no library");
  EXPECT_EQ(found(root_.path("text") + ":" + root_.path("own"), "libblas.so.3"), own);
  EXPECT_EQ(found("absent;own", "libblas.so.3"), own);
  EXPECT_EQ(found("", "libother.so.1"), "");
}

TEST_F(SharedLibrarySearchTest, ContentIsNamedByItsBuildId) {
  library("lib/libblas.so.3");
  const auto library = SharedLibrarySearch("", "/", root_.path() + "/").find("libblas.so.3");
  ASSERT_TRUE(library);
  EXPECT_EQ(library->bytes, *file_size("/proc/self/exe"));
  const std::string whole = *read_file("/proc/self/exe", 1u << 30);
  EXPECT_EQ(library->build_id, elf_build_id(whole));
  for (size_t length = 0; length < 4096; ++length) (void)elf_build_id(std::string_view(whole).substr(0, length));
  EXPECT_EQ(elf_build_id("\x7f"
                         "ELF"),
            "");
}

TEST(SharedLibraryTest, ThisMachinesOwnAreFound) {
  const auto library = SharedLibrarySearch("", "/").find("libc.so.6");
  if (!library) GTEST_SKIP() << "no glibc here";
  EXPECT_THAT(library->path, StartsWith("/"));
  EXPECT_THAT(library->build_id, MatchesRegex("[0-9a-f]*"));
}

}  // namespace
}  // namespace plz
