// A directory to capture, for tests: made anew for each, removed after.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "os/file.h"
#include "store/capture.h"
#include "store/capture/file_stamp.h"
#include "store/materialise.h"
#include "store/memory/memory_blob_channel.h"

namespace plz {

class ScratchTree : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "plz-capture-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    scratch_ = pattern;
    root_ = scratch_ + "/root";
    ASSERT_EQ(mkdir(root_.c_str(), 0755), 0);
    options_.stat_cache_path = scratch_ + "/cache";
    options_.threads = 3;
  }
  void TearDown() override { EXPECT_TRUE(remove_tree(scratch_)); }

  std::string in_root(const std::string& path) const { return root_ + "/" + path; }
  void write(const std::string& path, std::string_view content, mode_t mode = 0644) {
    ASSERT_TRUE(make_directories(parent_path(in_root(path)), 0755));
    auto fd = open_file(in_root(path), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT_TRUE(fd) << fd.error().message;
    ASSERT_TRUE(write_all(fd->get(), content));
    ASSERT_EQ(fchmod(fd->get(), mode), 0);
  }
  // Until everything written so far is as settled as what a person wrote some time ago. ctime cannot be
  // set, so this waits: until the clock of file systems is past the exact time, which a kernel may have
  // stamped with.
  void let_the_tick_pass() {
    timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    while (file_system_now_ns() <= nanoseconds(exact)) usleep(200);
  }

  CaptureResult captured() {
    let_the_tick_pass();
    auto result = capture(root_, options_, channel_);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : CaptureResult();
  }
  Error capture_error() {
    auto result = capture(root_, options_, channel_);
    EXPECT_FALSE(result);
    return result ? Error() : result.error();
  }
  // "path kind mode content-or-target" of every entry below the tree.
  std::vector<std::string> listing(const Digest& tree) {
    std::vector<std::string> lines;
    auto entries = list_tree(tree, channel_);
    EXPECT_TRUE(entries) << entries.error().message;
    if (!entries) return lines;
    for (auto& [path, entry] : *entries) lines.push_back(path + " " + describe(entry));
    return lines;
  }
  std::string describe(const TreeEntry& entry) {
    char mode[8];
    snprintf(mode, sizeof mode, "%o ", entry.mode);
    if (entry.kind == EntryKind::directory) return std::string("d") + mode;
    if (entry.kind == EntryKind::symlink) return "l -> " + entry.target;
    std::string content;
    auto read = read_entry(entry, channel_, [&](std::string_view bytes) -> Result<void> {
      content += bytes;
      return {};
    });
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(content.size(), entry.bytes);
    if (content.size() > 100) content = std::to_string(content.size()) + " bytes";
    return std::string(entry.kind == EntryKind::file ? "f" : "F") + mode + content;
  }

  std::string scratch_, root_;
  CaptureOptions options_;
  MemoryBlobChannel channel_;
};

}  // namespace plz
