#include "store/capture/cache_keeper.h"

#include <cstring>

namespace plz {
namespace {

constexpr std::chrono::seconds kInterval{5};
// A save of a million files takes its time: at most this share of the whole.
constexpr int kIntervalPerSave = 20;

CachedEntry to_cached(const WalkedEntry& entry, size_t name_offset, size_t target_bytes) {
  CachedEntry cached = {};
  cached.stamp = entry.stamp;
  memcpy(cached.digest, entry.digest.bytes().data(), Digest::kBytes);
  cached.name_offset = static_cast<uint32_t>(name_offset);
  cached.target_bytes = static_cast<uint32_t>(target_bytes);
  cached.name_bytes = entry.name_bytes;
  cached.mode = entry.mode;
  cached.kind = static_cast<uint8_t>(entry.kind);
  cached.settled = entry.settled;
  cached.followed = entry.followed;
  if (entry.child) {
    cached.stamp = {.size = entry.child->cache_record};
    memcpy(cached.digest, entry.child->digest.bytes().data(), Digest::kBytes);
  }
  return cached;
}

}  // namespace

CacheKeeper::CacheKeeper(std::string path, uint64_t root_key, WalkedTree& tree)
    : path_(std::move(path)), root_key_(root_key), tree_(tree), due_(std::chrono::steady_clock::now() + kInterval) {}

void CacheKeeper::save_if_due() {
  std::unique_lock lock(saving_, std::try_to_lock);
  if (!lock || path_.empty()) return;
  auto began = std::chrono::steady_clock::now();
  if (began < due_) return;
  (void)save(false);
  auto ended = std::chrono::steady_clock::now();
  due_ = ended + std::max<std::chrono::steady_clock::duration>(kInterval, kIntervalPerSave * (ended - began));
}

Result<void> CacheKeeper::save_unfinished() {
  std::lock_guard lock(saving_);
  return path_.empty() ? Result<void>() : save(false);
}

Result<void> CacheKeeper::save_finished() {
  std::lock_guard lock(saving_);
  return path_.empty() ? Result<void>() : save(true);
}

Result<void> CacheKeeper::save(bool finished) {
  std::unique_lock lock(tree_.publishing);
  PLZ_ASSIGN(auto writer, StatCacheWriter::create(path_, root_key_));
  auto& directories = tree_.directories;
  for (auto at = directories.rbegin(); at != directories.rend(); ++at) {
    if (at->left_out) continue;
    PLZ_ASSIGN(at->cache_record, at->clean ? add_clean(writer, *at) : add_walked(writer, *at, finished));
  }
  const WalkedDirectory& root = tree_.root();
  return writer.commit(root.cache_record, finished ? root.digest : Digest());
}

Result<uint64_t> CacheKeeper::add_clean(StatCacheWriter& writer, const WalkedDirectory& directory) {
  const CachedDirectory& cached = *directory.cached;
  if (directory.children.empty()) return writer.add(*cached.header, cached.entries, cached.names);
  std::vector<CachedEntry> entries(cached.entries.begin(), cached.entries.end());
  for (const WalkedDirectory* child : directory.children)
    entries[child->index_in_parent].stamp.size = child->cache_record;
  return writer.add(*cached.header, entries, cached.names);
}

std::string_view CacheKeeper::target_of(const WalkedDirectory& directory, const WalkedEntry& entry) const {
  if (entry.kind != EntryKind::chunked_file) return directory.target_of(entry);
  auto read = tree_.chunk_lists.find(&entry);
  return read != tree_.chunk_lists.end() ? read->second : WalkedTree::chunk_list_before(directory, entry);
}

Result<uint64_t> CacheKeeper::add_walked(StatCacheWriter& writer, const WalkedDirectory& directory, bool finished) {
  std::vector<CachedEntry> entries;
  std::string names;
  for (const WalkedEntry& entry : directory.entries) {
    if (entry.state == ContentState::unread || entry.state == ContentState::left_out) continue;
    std::string_view target = target_of(directory, entry);
    entries.push_back(to_cached(entry, names.size(), target.size()));
    names.append(directory.name_of(entry), entry.name_bytes);
    names += target;
  }
  CachedDirectoryHeader header = {};
  header.entry_count = static_cast<uint32_t>(entries.size());
  header.names_bytes = static_cast<uint32_t>(names.size());
  header.bytes = directory.bytes;
  header.files = directory.files;
  memcpy(header.digest, directory.digest.bytes().data(), Digest::kBytes);
  header.finished = finished;
  return writer.add(header, entries, names);
}

}  // namespace plz
