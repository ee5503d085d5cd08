#include "controller/collection/marker.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/log.h"
#include "base/patience.h"
#include "store/pack_format.h"

namespace plz {
namespace {

// So many are looked up with one question and read in the order in which they lie on disk. Memory is that
// of one blob: what is pending is digests.
constexpr size_t kItemsAtOnce = 1024;
constexpr size_t kPieceBytes = 256u << 10;

}  // namespace

Result<void> Marker::mark(const References& references, const std::stop_token& stop) {
  for (const Digest& blob : references.blobs) keep(blob);
  for (const Digest& tree : references.trees) walk_later(tree, Kind::tree);
  return walk_pending(stop);
}

Result<void> Marker::mark_pack(const Uuid& pack, const std::stop_token& stop) {
  PackBlobReader reader([&](const Digest&, std::string_view bytes) -> Result<void> {
    if (auto tree = decode_tree(bytes)) keep_entries(*tree);
    if (auto chunks = decode_chunk_list(bytes)) keep_chunks(*chunks);
    return {};
  });
  PLZ_ASSIGN(const uint64_t size, packs_.size(PackId(pack)));
  std::string piece;
  for (uint64_t at = 0; at < size; at += piece.size()) {
    piece.resize(std::min<uint64_t>(kPieceBytes, size - at));
    PLZ_TRY(packs_.read(PackId(pack), at, piece.data(), piece.size()));
    PLZ_TRY(reader.feed(piece));
  }
  PLZ_TRY(reader.finish());
  return walk_pending(stop);
}

Result<void> Marker::walk_pending(const std::stop_token& stop) {
  while (!pending_.empty()) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the controller is ending");
    const size_t count = std::min(kItemsAtOnce, pending_.size());
    std::vector<Item> items(pending_.end() - static_cast<ptrdiff_t>(count), pending_.end());
    pending_.resize(pending_.size() - count);
    PLZ_TRY(walk(items));
  }
  return {};
}

void Marker::keep(const Digest& digest) {
  if (auto blob = table_.find(digest)) table_.keep(*blob);
}

void Marker::walk_later(const Digest& digest, Kind kind) {
  const auto of_kind = static_cast<size_t>(kind);
  if (auto blob = table_.find(digest)) {
    table_.keep(*blob);
    if (walked_[of_kind][*blob]) return;
    walked_[of_kind][*blob] = true;
  } else if (!walked_others_[of_kind].insert(digest).second) {
    return;
  }
  pending_.emplace_back(digest, kind);
}

Result<void> Marker::walk(const std::vector<Item>& items) {
  std::vector<Digest> digests;
  for (const Item& item : items) digests.push_back(item.first);
  PLZ_ASSIGN(auto found, records_.find(digests));
  std::vector<size_t> order;
  for (size_t i = 0; i < items.size(); ++i) {
    if (found[i]) order.push_back(i);
    else log_warning("the store lacks the blob {}, which is referred to", digests[i].hex());
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(found[a]->pack, found[a]->offset) < std::pair(found[b]->pack, found[b]->offset);
  });
  std::string stored, bytes;
  for (size_t i : order) {
    const BlobRecord& record = *found[i];
    stored.resize(record.stored_bytes);
    auto read = packs_.read(PackId(record.pack), record.offset, stored.data(), stored.size());
    if (read) read = decode_blob(static_cast<Codec>(record.codec), stored, record.bytes, record.checksum, bytes);
    if (!read && is_temporary(read.error().code))
      return fail(std::move(read).error().with_context(fmt::format("the blob {} cannot be read", digests[i].hex())));
    if (read) {
      look_into(items[i], bytes);
      continue;
    }
    damage_.push_back(fmt::format("the blob {} cannot be read: {}", digests[i].hex(), read.error().message));
    log_error("{}", damage_.back());
    PLZ_TRY(records_.mark_damaged({&digests[i], 1}, read.error().message));
  }
  return {};
}

// What was submitted as a tree and is none has nothing below it.
void Marker::look_into(const Item& item, std::string_view bytes) {
  std::string fault;
  if (item.second == Kind::chunk_list) {
    if (auto chunks = decode_chunk_list(bytes)) keep_chunks(*chunks);
    else fault = chunks.error().message;
  } else {
    if (auto tree = decode_tree(bytes)) keep_entries(*tree);
    else fault = tree.error().message;
  }
  if (!fault.empty()) log_warning("the blob {} is referred to, but: {}", item.first.hex(), fault);
}

void Marker::keep_entries(const Tree& tree) {
  for (const TreeEntry& entry : tree.entries) {
    if (entry.kind == EntryKind::file) keep(entry.digest);
    if (entry.kind == EntryKind::chunked_file) walk_later(entry.digest, Kind::chunk_list);
    if (entry.kind == EntryKind::directory) walk_later(entry.digest, Kind::tree);
  }
}

void Marker::keep_chunks(const std::vector<ChunkReference>& chunks) {
  for (const ChunkReference& chunk : chunks) keep(chunk.digest);
}

}  // namespace plz
