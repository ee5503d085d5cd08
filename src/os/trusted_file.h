// Files that are honoured for where they lie. On a machine of several people such a file may have been put there by
// anybody: its word is taken only if nobody else could have put it there, or changed it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace plz {

struct FileTrust {
  std::vector<uid_t> owners;  // whose files are believed
  // Directories whose files are believed whoever owns them: "/a" is that directory, "/a/*" also all below it, "*"
  // every directory.
  std::vector<std::string> safe_directories;
  std::string allowed_by;  // where safe_directories are set, for the hint of errors; empty: nowhere
};

// Root, this process's user, and if that is root also `sudo_uid` (the value of SUDO_UID; empty: not set), as git has
// it.
std::vector<uid_t> trusted_owners(std::string_view sudo_uid);

// Reads a file that is believed. What is looked at is what is read: nothing that is swapped meanwhile gets through.
// Each link on the way is held to the same rules. invalid: the file (or a link to it) belongs to somebody else, all can
// write it, or all can replace it, since it lies in a directory that all can write and that has no sticky bit.
// Absent is nullopt.
Result<std::optional<std::string>> read_trusted_file(const std::string& path, const FileTrust& trust, uint64_t limit);

// Only looks: of a file that another program reads. One that is absent passes.
Result<void> check_trusted_file(const std::string& path, const FileTrust& trust);

}  // namespace plz
