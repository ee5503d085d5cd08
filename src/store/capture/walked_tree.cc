#include "store/capture/walked_tree.h"

#include <fcntl.h>

#include "os/beneath.h"
#include "os/file.h"

namespace plz {

std::string WalkedTree::relative_path(const WalkedDirectory& directory) const { return path_below(directory, nullptr); }

std::string WalkedTree::path_below(const WalkedDirectory& directory, const WalkedDirectory* above) const {
  std::vector<const WalkedDirectory*> chain;
  for (auto at = &directory; at != above && at->parent; at = at->parent) chain.push_back(at);
  std::string path;
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    if (!path.empty()) path += '/';
    path += (*at)->name;
  }
  return path;
}

std::string WalkedTree::relative_path(const WalkedDirectory& directory, std::string_view name) const {
  return join_path(relative_path(directory), name);
}

UniqueFd WalkedTree::open_directory(const WalkedDirectory& directory) const {
  const WalkedDirectory* followed = nearest_followed(directory);
  if (!followed) return open_directory_beneath(root_fd.get(), relative_path(directory));
  UniqueFd place(open(followed->followed->real_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return place ? open_directory_beneath(place.get(), path_below(directory, followed)) : UniqueFd();
}

std::string WalkedTree::full_path(const WalkedDirectory& directory) const {
  std::string path = relative_path(directory);
  return path.empty() ? root_path : join_path(root_path, path);
}

std::string WalkedTree::full_path(const WalkedDirectory& directory, std::string_view name) const {
  if (!single_name.empty()) return root_path;
  return join_path(full_path(directory), name);
}

std::string_view WalkedTree::chunk_list_before(const WalkedDirectory& directory, const WalkedEntry& entry) {
  if (entry.cached_index == WalkedEntry::kNotCached) return {};
  const CachedEntry& cached = directory.cached->entries[entry.cached_index];
  bool chunked = cached.kind == static_cast<uint8_t>(EntryKind::chunked_file);
  return chunked ? directory.cached->target(cached) : std::string_view();
}

const WalkedDirectory* nearest_followed(const WalkedDirectory& directory) {
  auto at = &directory;
  while (at && !at->followed) at = at->parent;
  return at;
}

uint32_t append_name(std::string& names, std::string_view name) {
  auto offset = static_cast<uint32_t>(names.size());
  names += name;
  names += '\0';
  return offset;
}

void restore_entries(WalkedDirectory& directory) {
  if (!directory.as_cached || !directory.entries.empty()) return;
  const CachedDirectory& cached = *directory.cached;
  directory.entries.reserve(cached.entries.size());
  for (const CachedEntry& from : cached.entries) {
    WalkedEntry entry;
    entry.stamp = from.stamp;
    entry.digest = Digest::from_bytes(from.digest);
    entry.cached_index = static_cast<uint32_t>(directory.entries.size());
    entry.name_offset = append_name(directory.names, cached.name(from));
    entry.name_bytes = from.name_bytes;
    if (from.kind == static_cast<uint8_t>(EntryKind::symlink)) {
      entry.target_bytes = static_cast<uint16_t>(from.target_bytes);
      directory.names += cached.target(from);
    }
    entry.mode = from.mode;
    entry.kind = static_cast<EntryKind>(from.kind);
    entry.state = ContentState::cached;
    entry.settled = true;
    entry.followed = from.followed != 0;
    directory.entries.push_back(entry);
  }
  for (WalkedDirectory* child : directory.children)
    if (child->index_in_parent != WalkedEntry::kNotCached) directory.entries[child->index_in_parent].child = child;
}

}  // namespace plz
