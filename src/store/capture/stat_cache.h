// What the last capture of a root saw: for each file its stamp and digest, for each directory the
// digest of its tree. Format (version 1; native x86-64 layout, a cache is of one machine):
//
//   cache     = CacheHeader record*           children before parents; the root's is last
//   record    = CachedDirectoryHeader CachedEntry[entry_count] names, padded to 8 bytes
//
// Entries are in the order in which the directory listed them, so that a walk of an unchanged
// directory goes along both in step.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/digest.h"
#include "os/fd.h"
#include "store/capture/file_stamp.h"
#include "store/tree.h"

namespace plz {

inline constexpr std::string_view kStatCacheMagic = "PLZSTAT1";

struct CacheHeader {
  char magic[8];
  uint64_t root_key;                    // of which root this is
  uint64_t total_bytes;                 // of the file
  uint64_t root_record;                 // its offset
  uint64_t checksum;                    // XXH3-64 of all that follows the header
  uint8_t stored_root[Digest::kBytes];  // a tree known to have been stored whole; zeros: none
};

struct CachedDirectoryHeader {
  uint32_t entry_count, names_bytes;
  uint64_t bytes, files;           // below the directory, if finished
  uint8_t digest[Digest::kBytes];  // of the tree, if finished
  uint8_t finished;                // 1: every entry is here, with its digest
  uint8_t zero[7];
};

struct CachedEntry {
  FileStamp stamp;  // of a directory: size is its record's offset, the rest zeros
  uint8_t digest[Digest::kBytes];
  uint32_t name_offset;   // within the record's names; the target follows the name
  uint32_t target_bytes;  // of a link: its text; of a chunked file: its list of chunks
  uint16_t name_bytes;
  uint16_t mode;
  uint8_t kind;      // EntryKind
  uint8_t settled;   // 0: read again next time (file_stamp.h)
  uint8_t followed;  // 1: a link is there, and this is what it leads to
  uint8_t zero;
};

// Views into a mapped cache; valid while the StatCache lives.
struct CachedDirectory {
  const CachedDirectoryHeader* header = nullptr;
  std::span<const CachedEntry> entries;
  std::string_view names;
  uint64_t offset = 0;

  std::string_view name(const CachedEntry& entry) const { return slice(entry.name_offset, entry.name_bytes); }
  std::string_view target(const CachedEntry& entry) const {
    return slice(uint64_t{entry.name_offset} + entry.name_bytes, entry.target_bytes);
  }

 private:
  std::string_view slice(uint64_t offset, size_t size) const {
    return offset + size <= names.size() ? names.substr(offset, size) : std::string_view();
  }
};

class StatCache {
 public:
  StatCache() = default;  // empty
  // A cache that is absent, damaged, of another root or version is empty.
  static StatCache open(const std::string& path, uint64_t root_key);
  ~StatCache();
  StatCache(StatCache&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  StatCache& operator=(StatCache&&) = delete;

  std::optional<CachedDirectory> root() const;
  // The record of a directory entry of `parent`.
  std::optional<CachedDirectory> child(const CachedDirectory& parent, const CachedEntry& entry) const;
  Digest stored_root() const;

 private:
  std::optional<CachedDirectory> record_at(uint64_t offset) const;
  const CacheHeader& header() const { return *reinterpret_cast<const CacheHeader*>(bytes_.data()); }

  std::string_view bytes_;  // mapped
};

// Writes a new cache beside the old one. Destroyed without commit(): the old one stays.
class StatCacheWriter {
 public:
  static Result<StatCacheWriter> create(const std::string& path, uint64_t root_key);
  ~StatCacheWriter();
  StatCacheWriter(StatCacheWriter&&) noexcept;
  StatCacheWriter& operator=(StatCacheWriter&&) = delete;

  // The record's offset. The children's offsets are already in the entries.
  Result<uint64_t> add(const CachedDirectoryHeader& header, std::span<const CachedEntry> entries,
                       std::string_view names);
  Result<void> commit(uint64_t root_record, const Digest& stored_root);

 private:
  struct State;
  explicit StatCacheWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace plz
