// Marks what must stay: walks trees and lists of chunks, and keeps every blob that they name.
#pragma once

#include <stop_token>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "controller/collection/blob_table.h"
#include "controller/collection/references.h"
#include "db/blob_records.h"
#include "store/chunker.h"
#include "store/pack_store.h"
#include "store/tree.h"

namespace plz {

// Not thread-safe. What it refers to outlives it.
class Marker {
 public:
  Marker(BlobTable& table, BlobRecords& records, PackStore& packs)
      : table_(table),
        records_(records),
        packs_(packs),
        walked_(2, std::vector<bool>(table.size())),
        walked_others_(2) {}

  // A tree that was walked before costs nothing. cancelled when `stop` asks: not everything is marked then. A blob that
  // the store lacks is passed over.
  Result<void> mark(const References& references, const std::stop_token& stop);
  // What any blob of this pack, which came after the table was made, refers to: whatever looks like a tree or
  // a list of chunks is taken for one.
  Result<void> mark_pack(const Uuid& pack, const std::stop_token& stop);

  // Trees and lists of chunks that are needed and cannot be read, in words: what they name is not marked.
  const std::vector<std::string>& damage() const { return damage_; }

 private:
  enum class Kind { tree, chunk_list };
  using Item = std::pair<Digest, Kind>;

  void keep(const Digest& digest);
  void walk_later(const Digest& digest, Kind kind);
  Result<void> walk_pending(const std::stop_token& stop);
  Result<void> walk(const std::vector<Item>& items);
  void look_into(const Item& item, std::string_view bytes);
  void keep_entries(const Tree& tree);
  void keep_chunks(const std::vector<ChunkReference>& chunks);

  BlobTable& table_;
  BlobRecords& records_;
  PackStore& packs_;
  // By kind: one blob may be a file here and a tree there.
  std::vector<std::vector<bool>> walked_;
  std::vector<std::unordered_set<Digest>> walked_others_;  // that came after the table was made
  std::vector<Item> pending_;
  std::vector<std::string> damage_;
};

}  // namespace plz
