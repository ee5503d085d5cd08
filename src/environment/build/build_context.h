// The part of a directory that a build can see, and that part as a tar archive.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "environment/build/build_sight.h"
#include "environment/build/ignore_rules.h"
#include "model/digest.h"
#include "os/fd.h"

namespace plz {

struct ContextEntry {
  enum class Kind { file, directory, link };
  std::string path;  // relative to the context; bytes
  Kind kind = Kind::file;
  mode_t mode = 0;     // permission bits
  std::string target;  // of a link
  bool operator==(const ContextEntry&) const = default;
};

// What COPY and ADD may take, sorted by path as bytes. Where a source leads through a link, everything that is not
// ignored: the link may lead anywhere. Nothing else may change the directory meanwhile.
Result<std::vector<ContextEntry>> list_context(const std::string& directory, const BuildSight& sight,
                                               const IgnoreRules& rules);

// Of paths, kinds, modes, targets and contents; not of times and owners.
Result<Digest> digest_of_context(const std::string& directory, const std::vector<ContextEntry>& entries);

// A tar archive, read piece by piece: the entries, then `texts` (path to content, mode 0644), which take the place of
// entries of the same path. The same entries give the same bytes: times are 0, the owner is root. The format is GNU's
// (names of any length and bytes, files of any size). Not thread-safe.
class ContextArchive {
 public:
  ContextArchive(std::string directory, std::vector<ContextEntry> entries, std::map<std::string, std::string> texts);
  // Up to `size` bytes; 0 at the end.
  Result<size_t> read(char* buffer, size_t size);

 private:
  Result<void> next_member();
  Result<void> open_entry(const ContextEntry& entry);
  Result<size_t> read_file(char* buffer, size_t size);

  const std::string directory_;
  std::vector<ContextEntry> entries_;
  std::map<std::string, std::string> texts_;
  size_t next_entry_ = 0;
  std::map<std::string, std::string>::const_iterator next_text_;
  bool ended_ = false;

  std::string pending_;  // headers, padding, small contents
  size_t pending_at_ = 0;
  UniqueFd file_;
  uint64_t file_left_ = 0, file_padding_ = 0;
};

}  // namespace plz
