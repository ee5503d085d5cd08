// A directory for one test, removed at its end.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "os/file.h"

namespace plz {

class TemporaryDirectory {
 public:
  // Not where the tests' variables say: the path of a socket in it must be short.
  explicit TemporaryDirectory(const std::string& parent = "/tmp") : path_(parent + "/plz-test-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~TemporaryDirectory() { EXPECT_TRUE(remove_tree(path_)); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string path(std::string_view relative) const { return join_path(path_, relative); }

  // Makes the directories above it too; returns its absolute path.
  std::string write(std::string_view relative, std::string_view content, mode_t mode = 0644) const {
    std::string file = path(relative);
    EXPECT_TRUE(make_directories(parent_path(file)));
    EXPECT_TRUE(write_file_atomically(file, content, mode, Sync::no)) << file;
    EXPECT_EQ(chmod(file.c_str(), mode), 0);  // whatever the umask
    return file;
  }

 private:
  std::string path_;
};

}  // namespace plz
