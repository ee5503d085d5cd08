#include "store/capture/presence.h"

namespace plz {
namespace {

constexpr size_t kDigestsAtOnce = 16384;

using Frontier = std::vector<WalkedDirectory*>;

bool is_content(const WalkedEntry& entry) {
  return entry.kind == EntryKind::file || entry.kind == EntryKind::chunked_file;
}

// Asks for what directly lies in the directories; gives those below that have to be looked into.
Result<Frontier> look_into(const Frontier& frontier, BlobSink& sink) {
  std::vector<Digest> digests;
  std::vector<WalkedEntry*> entries;  // nullptr: a directory, the next of `clean`
  Frontier clean, next;
  for (WalkedDirectory* directory : frontier) {
    for (WalkedEntry& entry : directory->entries)
      if (entry.state == ContentState::cached && is_content(entry)) {
        digests.push_back(entry.digest);
        entries.push_back(&entry);
      }
    for (WalkedDirectory* child : directory->children)
      if (child->clean) {
        digests.push_back(child->digest);
        entries.push_back(nullptr);
        clean.push_back(child);
      }
  }
  PLZ_ASSIGN(auto missing, ask_missing(sink, digests));
  auto directory = clean.begin();
  for (size_t i = 0; i < digests.size(); ++i) {
    WalkedDirectory* child = entries[i] ? nullptr : *directory++;
    if (!missing[i]) continue;
    if (entries[i]) entries[i]->state = ContentState::unread;
    else next.push_back(child);
  }
  return next;
}

}  // namespace

Result<std::vector<bool>> ask_missing(BlobSink& sink, std::span<const Digest> digests) {
  std::vector<bool> missing;
  missing.reserve(digests.size());
  while (!digests.empty()) {
    auto part = digests.first(std::min(digests.size(), kDigestsAtOnce));
    digests = digests.subspan(part.size());
    PLZ_ASSIGN(auto answer, sink.missing(part));
    if (answer.size() != part.size())
      return fail(ErrorCode::internal, "the store answered for another number of blobs than it was asked for");
    missing.insert(missing.end(), answer.begin(), answer.end());
  }
  return missing;
}

Result<bool> check_presence(CaptureRun& run, const Digest& stored_root, WalkedTree& tree, BlobSink& sink) {
  WalkedDirectory& root = tree.root();
  // The tree of the last capture holds all that is cached.
  Digest whole = root.clean ? root.digest : stored_root;
  if (!whole.is_zero()) {
    PLZ_ASSIGN(auto missing, ask_missing(sink, {&whole, 1}));
    if (!missing[0]) return root.clean;
  }
  Frontier frontier;
  if (root.clean) frontier.push_back(&root);
  else
    for (WalkedDirectory& directory : tree.directories)
      if (!directory.clean && !directory.left_out) frontier.push_back(&directory);
  while (!frontier.empty() && !run.stopped()) {
    for (WalkedDirectory* directory : frontier) {
      directory->clean = false;
      restore_entries(*directory);
    }
    PLZ_ASSIGN(frontier, look_into(frontier, sink));
  }
  PLZ_TRY(run.outcome());
  return false;
}

}  // namespace plz
