#include "store/capture/tree_sender.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"
#include "store/capture/presence.h"
#include "store/hasher.h"
#include "store/pack_format.h"
#include "store/tree_encoder.h"

namespace plz {
namespace {

std::vector<const WalkedEntry*> sorted_entries(WalkedDirectory& directory) {
  std::vector<const WalkedEntry*> sorted;
  for (const WalkedEntry& entry : directory.entries)
    if (entry.state != ContentState::left_out) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [&](auto a, auto b) {
    return std::string_view(directory.name_of(*a), a->name_bytes) <
           std::string_view(directory.name_of(*b), b->name_bytes);
  });
  return sorted;
}

}  // namespace

Result<void> TreeSender::send_all() {
  auto& directories = tree_.directories;
  for (auto at = directories.rbegin(); at != directories.rend(); ++at) {
    if (run_.stopped()) return run_.outcome();
    if (at->clean || at->left_out) continue;
    build(*at);
    if (trees_.back().size() > kMaxBlobBytes)
      return fail(ErrorCode::invalid,
                  fmt::format("{} has too many entries ({})", printable(tree_.full_path(*at)), at->entries.size()),
                  "divide it into several directories");
    if (waiting_bytes_ >= kPackTargetBytes / 2) PLZ_TRY(send_waiting());
  }
  return send_waiting();
}

void TreeSender::build(WalkedDirectory& directory) {
  TreeEncoder encoder;
  directory.bytes = directory.files = 0;
  for (const WalkedEntry* entry : sorted_entries(directory)) {
    std::string_view name(directory.name_of(*entry), entry->name_bytes);
    if (!tree_.captured_name.empty()) name = tree_.captured_name;
    bool is_link = entry->kind == EntryKind::symlink;
    const WalkedDirectory* child = entry->child;
    uint64_t bytes = child ? child->bytes : is_link ? 0 : entry->stamp.size;
    uint64_t files = child ? child->files : 1;
    encoder.add(entry->kind, entry->mode, name, bytes, files, child ? child->digest : entry->digest,
                directory.target_of(*entry));
    directory.bytes += bytes;
    directory.files += files;
  }
  std::string bytes = encoder.take();
  directory.digest = digest_of(bytes);
  waiting_bytes_ += bytes.size();
  digests_.push_back(directory.digest);
  trees_.push_back(std::move(bytes));
}

Result<void> TreeSender::send_waiting() {
  PLZ_ASSIGN(auto missing, ask_missing(sink_, digests_));
  std::string pack;
  for (size_t i = 0; i < trees_.size(); ++i)
    if (missing[i]) append_blob_to_pack(pack, digests_[i], trees_[i]);
  digests_.clear();
  trees_.clear();
  waiting_bytes_ = 0;
  if (pack.empty()) return {};
  uint64_t size = pack.size();
  PLZ_TRY(sink_.send_pack(std::move(pack)));
  run_.count_sent(size);
  return {};
}

}  // namespace plz
