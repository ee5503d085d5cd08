#include "store/capture/stat_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "os/file.h"

namespace plz {

static_assert(sizeof(CacheHeader) == 72 && sizeof(CachedDirectoryHeader) == 64 && sizeof(CachedEntry) == 88);

namespace {

std::string_view map_file(const std::string& path) {
  auto fd = open_file(path, O_RDONLY);
  struct stat st;
  if (!fd || fstat(fd->get(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < off_t{sizeof(CacheHeader)}) return {};
  auto size = static_cast<size_t>(st.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd->get(), 0);
  if (bytes == MAP_FAILED) return {};
  return {static_cast<const char*>(bytes), size};
}

void unmap(std::string_view bytes) {
  if (!bytes.empty()) munmap(const_cast<char*>(bytes.data()), bytes.size());
}

bool is_sound(std::string_view bytes, uint64_t root_key) {
  auto& header = *reinterpret_cast<const CacheHeader*>(bytes.data());
  std::string_view body = bytes.substr(sizeof header);
  return std::string_view(header.magic, sizeof header.magic) == kStatCacheMagic && header.root_key == root_key &&
         header.total_bytes == bytes.size() && header.checksum == XXH3_64bits(body.data(), body.size());
}

}  // namespace

StatCache StatCache::open(const std::string& path, uint64_t root_key) {
  StatCache cache;
  if (path.empty()) return cache;
  std::string_view bytes = map_file(path);
  if (!bytes.empty() && is_sound(bytes, root_key)) cache.bytes_ = bytes;
  else unmap(bytes);
  return cache;
}

StatCache::~StatCache() { unmap(bytes_); }

std::optional<CachedDirectory> StatCache::root() const {
  if (bytes_.empty()) return std::nullopt;
  return record_at(header().root_record);
}

std::optional<CachedDirectory> StatCache::child(const CachedDirectory& parent, const CachedEntry& entry) const {
  // Children come before parents: a damaged cache cannot make a circle.
  if (entry.kind != static_cast<uint8_t>(EntryKind::directory) || entry.stamp.size >= parent.offset)
    return std::nullopt;
  return record_at(entry.stamp.size);
}

Digest StatCache::stored_root() const { return bytes_.empty() ? Digest() : Digest::from_bytes(header().stored_root); }

std::optional<CachedDirectory> StatCache::record_at(uint64_t offset) const {
  if (offset < sizeof(CacheHeader) || offset % 8 != 0 || offset + sizeof(CachedDirectoryHeader) > bytes_.size())
    return std::nullopt;
  CachedDirectory directory;
  directory.offset = offset;
  directory.header = reinterpret_cast<const CachedDirectoryHeader*>(bytes_.data() + offset);
  uint64_t entries_at = offset + sizeof(CachedDirectoryHeader);
  uint64_t names_at = entries_at + uint64_t{directory.header->entry_count} * sizeof(CachedEntry);
  if (names_at + directory.header->names_bytes > bytes_.size()) return std::nullopt;
  directory.entries = {reinterpret_cast<const CachedEntry*>(bytes_.data() + entries_at), directory.header->entry_count};
  directory.names = bytes_.substr(names_at, directory.header->names_bytes);
  return directory;
}

}  // namespace plz
