// Remembers, per user, into which directories outputs were retrieved, so that the next run does not
// capture them as code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace plz {

class OutputDirectories {
 public:
  // The record is a file in the data directory, which need not exist.
  explicit OutputDirectories(const std::string& data_directory);

  // Call it when the directory exists. It is known by inode: another directory that later takes the
  // name is not taken for it. The newest kMostKept are kept. Safe among processes.
  Result<void> remember(std::string_view absolute_path);
  // Those strictly below `directory` that still exist; absolute. A damaged record reads as empty.
  std::vector<std::string> below(std::string_view directory) const;

  static constexpr size_t kMostKept = 250;

 private:
  std::string path_;
};

}  // namespace plz
