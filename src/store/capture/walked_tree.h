// A directory tree as a walk found it, on its way to being captured. Not thread-safe of itself: the
// steps of a capture divide it among their threads by directory or by entry.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "os/fd.h"
#include "store/capture/stat_cache.h"
#include "store/tree.h"

namespace plz {

enum class ContentState : uint8_t {
  unread,    // has to be read
  cached,    // the digest comes from the cache; whether the store has it is not known
  read,      // read in this capture, and on its way to the store; of a directory: always
  left_out,  // vanished, or not to be captured after all: as if it had never been
};

struct WalkedDirectory;

struct WalkedEntry {
  static constexpr uint32_t kNotCached = ~uint32_t{0};

  FileStamp stamp;
  Digest digest;
  uint32_t name_offset = 0;            // in WalkedDirectory::names, with a NUL behind; a link's target follows
  uint32_t cached_index = kNotCached;  // of the entry of that name in the cached directory
  uint16_t name_bytes = 0, target_bytes = 0;
  uint16_t mode = 0;
  EntryKind kind = EntryKind::file;
  ContentState state = ContentState::unread;
  bool settled = false;           // the stamp can be trusted next time
  bool only_if_occupied = false;  // of a directory: WalkedDirectory's
  bool followed = false;          // a link is there, and this is what it leads to
  WalkedDirectory* child = nullptr;
};

// A directory that a link leads to, out of what its own directory is part of.
struct FollowedDirectory {
  std::string real_path;
  uint64_t device = 0, inode = 0;
};

struct WalkedDirectory {
  WalkedDirectory* parent = nullptr;
  std::string name;
  uint16_t mode = 0;
  // Left out unless something in it is captured.
  bool only_if_occupied = false;
  bool left_out = false;
  std::unique_ptr<const FollowedDirectory> followed;  // none: it is a directory in that of its parent
  std::optional<CachedDirectory> cached;
  // Everything in it but the content of its directories is as in the cache, and can be trusted.
  bool as_cached = false;
  // And so are all directories below: its tree is the cached one.
  bool clean = false;
  uint32_t index_in_parent = WalkedEntry::kNotCached;  // of the entry for this directory

  // Empty while as_cached; restore_entries() fills them.
  std::vector<WalkedEntry> entries;
  std::string names;
  std::vector<WalkedDirectory*> children;

  // Of the finished tree; of a clean directory from the start.
  Digest digest;
  uint64_t bytes = 0, files = 0;
  uint64_t cache_record = 0;  // where the cache being written has it

  const char* name_of(const WalkedEntry& entry) const { return names.c_str() + entry.name_offset; }
  std::string_view target_of(const WalkedEntry& entry) const {
    return std::string_view(names).substr(entry.name_offset + entry.name_bytes + 1, entry.target_bytes);
  }
};

struct WalkedTree {
  UniqueFd root_fd;
  std::string root_path;  // as given, for messages
  std::string real_root;  // without links
  uint64_t root_device = 0, root_inode = 0;
  // A single file as root: its name in root_fd, and the name it is captured under.
  std::string single_name, captured_name;
  std::deque<WalkedDirectory> directories;  // parents before children; the first is the root

  // Held shared while an entry is brought to `read`, and alone by who saves a consistent cache or
  // adds to chunk_lists.
  std::shared_mutex publishing;
  // Encoded, of the chunked files that were read.
  std::unordered_map<const WalkedEntry*, std::string> chunk_lists;

  WalkedDirectory& root() { return directories.front(); }
  std::string relative_path(const WalkedDirectory& directory) const;
  std::string relative_path(const WalkedDirectory& directory, std::string_view name) const;
  // From one above it (nullptr: the root) to a directory.
  std::string path_below(const WalkedDirectory& directory, const WalkedDirectory* above) const;
  // No descriptor: errno says why. Goes through no link but those that are followed.
  UniqueFd open_directory(const WalkedDirectory& directory) const;
  std::string full_path(const WalkedDirectory& directory) const;
  std::string full_path(const WalkedDirectory& directory, std::string_view name) const;
  // Of a chunked file, as the last capture had it; empty if it had not.
  static std::string_view chunk_list_before(const WalkedDirectory& directory, const WalkedEntry& entry);
};

// The directory itself or the nearest above it that a link leads to; nullptr: none.
const WalkedDirectory* nearest_followed(const WalkedDirectory& directory);

// Fills the entries of an as_cached directory from the cache.
void restore_entries(WalkedDirectory& directory);

// Appends name and NUL to the directory's names; its offset.
uint32_t append_name(std::string& names, std::string_view name);

}  // namespace plz
