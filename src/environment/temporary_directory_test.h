// A directory that goes with its test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <string>

#include "os/file.h"

namespace plz {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = testing::TempDir() + "/plz-environment-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { EXPECT_TRUE(remove_tree(path_)); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& content, mode_t mode = 0644) const {
    const std::string path = join_path(path_, name);
    EXPECT_TRUE(make_directories(parent_path(path)));
    EXPECT_TRUE(write_file_atomically(path, content, mode, Sync::no));
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
  }

 private:
  std::string path_;
};

}  // namespace plz
