// A directory for one test, removed at its end.
#pragma once

#include <stdlib.h>

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "os/file.h"

namespace plz {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = "/tmp/plz-cli-test-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  ~TemporaryDirectory() { static_cast<void>(remove_tree(path_)); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string path(std::string_view relative) const { return join_path(path_, relative); }

  // Makes the directories above it too; returns its absolute path.
  std::string write(std::string_view relative, std::string_view content, mode_t mode = 0644) const {
    std::string file = path(relative);
    EXPECT_TRUE(make_directories(parent_path(file)));
    EXPECT_TRUE(write_file_atomically(file, content, mode, Sync::no)) << file;
    return file;
  }

 private:
  std::string path_;
};

}  // namespace plz
