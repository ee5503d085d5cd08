#include "store/capture/settle.h"

#include <algorithm>

namespace plz {
namespace {

bool is_occupied(const WalkedDirectory& directory) {
  if (directory.clean) return !directory.cached->entries.empty();
  return std::any_of(directory.entries.begin(), directory.entries.end(),
                     [](auto& entry) { return entry.state != ContentState::left_out; });
}

void settle_child(WalkedDirectory& directory, WalkedDirectory& child) {
  bool is_entry = child.index_in_parent != WalkedEntry::kNotCached;
  if (child.left_out && !is_entry) return;
  if (!child.clean || child.left_out || !is_entry) directory.clean = false;
  if (child.left_out != is_entry) return;
  restore_entries(directory);
  directory.as_cached = false;
  if (child.left_out) {
    directory.entries[child.index_in_parent].state = ContentState::left_out;
    return;
  }
  WalkedEntry entry;
  entry.name_offset = append_name(directory.names, child.name);
  entry.name_bytes = static_cast<uint16_t>(child.name.size());
  entry.mode = child.mode;
  entry.kind = EntryKind::directory;
  entry.state = ContentState::read;
  entry.child = &child;
  child.index_in_parent = static_cast<uint32_t>(directory.entries.size());
  directory.entries.push_back(entry);
}

void settle_directory(WalkedDirectory& directory) {
  directory.clean = directory.as_cached && directory.cached->header->finished;
  for (WalkedDirectory* child : directory.children) settle_child(directory, *child);
  std::erase_if(directory.children, [](auto child) { return child->left_out; });
  if (directory.clean) {
    directory.digest = Digest::from_bytes(directory.cached->header->digest);
    directory.bytes = directory.cached->header->bytes;
    directory.files = directory.cached->header->files;
  } else {
    restore_entries(directory);
  }
}

}  // namespace

void settle(WalkedTree& tree, const std::function<void(std::string)>& note_left_out) {
  auto& directories = tree.directories;
  for (auto at = directories.rbegin(); at != directories.rend(); ++at) {  // children first
    settle_directory(*at);
    if (!at->only_if_occupied || at->left_out || is_occupied(*at)) continue;
    at->left_out = true;
    note_left_out(tree.relative_path(*at) + "/");
  }
}

}  // namespace plz
