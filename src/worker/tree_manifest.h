// What a tree on disk looked like when it was known to be good: the stat of each entry. Whoever changes a
// file, its name or its mode, changes its entry's ctime, which cannot be set back.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"

namespace plz {

// Of files: nanoseconds since the epoch, by the wall clock.
using FileTime = std::chrono::sys_time<std::chrono::nanoseconds>;
FileTime file_time_now();

class TreeManifest {
 public:
  // Gives every entry of the tree, links and the root too, this time of modification, and records what each then
  // looks like. What its owner may not enter stays as it is, and is recorded from outside. cancelled: `stop` asked.
  static Result<TreeManifest> record(const std::string& tree, FileTime time, const std::stop_token& stop = {});

  // A file of this machine and this version: "plz-tree 1 TIME ENTRIES BYTES", a line break, and memory. It is
  // not written through to the disk. Anything else is `invalid`.
  Result<void> save(const std::string& path) const;
  static Result<TreeManifest> load(const std::string& path);
  struct Head {
    FileTime time{};
    size_t entries = 0;
  };
  // Without the rest; none: there is no manifest.
  static std::optional<Head> load_head(const std::string& path);

  // Looks at every entry, on several threads where there are many. None: all are as recorded; else a name and
  // what is wrong, "data/x.csv has another size". What was added shows in its directory.
  std::optional<std::string> difference(const std::string& tree) const;

  FileTime time() const { return time_; }
  size_t entries() const { return entries_.size(); }
  // What its files and links take, about.
  uint64_t bytes() const;

 private:
  struct Entry {
    uint64_t inode, bytes;
    int64_t modified, changed;  // nanoseconds
    uint32_t mode;
    uint32_t directory;  // which of the directories before it, by their order here, holds it
    uint64_t name_at;    // in names_
    bool operator==(const Entry&) const = default;
  };
  static Entry seen(const struct stat& status);

  class Recorder;
  std::vector<std::string> directories() const;
  std::optional<std::string> difference(int root, const std::vector<std::string>& directories, size_t from,
                                        size_t to) const;
  const char* name(const Entry& entry) const { return names_.c_str() + entry.name_at; }

  FileTime time_{};
  std::vector<Entry> entries_;  // the root first; those of one directory follow each other
  std::string names_;           // each with a NUL
};

}  // namespace plz
