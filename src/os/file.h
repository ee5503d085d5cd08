// Whole files and directories. Paths are bytes: names need not be UTF-8.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace plz {

// open(2) with O_CLOEXEC; the error names the path.
Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0666);
// Refuses files larger than `limit` bytes, so that a mistaken path cannot fill memory.
Result<std::string> read_file(const std::string& path, uint64_t limit = 64u << 20);
// The same of a descriptor, from where it stands; `path` is what errors call it.
Result<std::string> read_open_file(int fd, const std::string& path, uint64_t limit = 64u << 20);
// Absent is nullopt; any other failure is an error.
Result<std::optional<std::string>> read_file_if_exists(const std::string& path, uint64_t limit = 64u << 20);

enum class Sync { no, yes };
// Writes beside the path and renames over it: a reader sees the old or the new content, whole. With
// Sync::yes both file and directory are on disk when it returns.
Result<void> write_file_atomically(const std::string& path, std::string_view content, mode_t mode, Sync sync);

// mkdir -p. Directories that exist are left as they are.
Result<void> make_directories(const std::string& path, mode_t mode = 0777);
Result<void> sync_directory(const std::string& path);
// rm -rf: goes on past what cannot be removed and returns the first error. Does not follow links and
// gives itself permission on directories that lack it. An absent path is success.
Result<void> remove_tree(const std::string& path);
bool path_exists(const std::string& path);  // does not follow a final link
Result<uint64_t> file_size(const std::string& path);
// Names in a directory, sorted as bytes, without . and ..
Result<std::vector<std::string>> list_directory(const std::string& path);

std::string join_path(std::string_view directory, std::string_view name);
std::string parent_path(std::string_view path);  // "/" and "." as dirname(1)
std::string base_name(std::string_view path);
// Absolute and without ., .., double slashes; links are not resolved. Relative to `base`.
std::string absolute_path(std::string_view path, std::string_view base);
Result<std::string> current_directory();

// "nfs", "cifs", … when the path lies on a network file system; nullopt otherwise.
std::optional<std::string> network_file_system(const std::string& path);
Result<uint64_t> free_bytes(const std::string& path);

}  // namespace plz
