#include "db/sqlite/sqlite_blobs.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "db/execution_rules.h"
#include "db/sqlite/reference_changes.h"

namespace plz {
namespace {

// In the order of the table: neighbours lie on the same page, and each page is touched once. Eight
// bytes order them well enough, and are sorted much faster than digests.
template <typename Items, typename DigestOf>
std::vector<std::pair<uint64_t, size_t>> sorted_order(const Items& items, DigestOf digest_of) {
  std::vector<std::pair<uint64_t, size_t>> order(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    uint64_t first;
    memcpy(&first, digest_of(items[i]).bytes().data(), sizeof first);
    order[i] = {__builtin_bswap64(first), i};
  }
  std::sort(order.begin(), order.end());
  return order;
}

struct PackSums {
  int64_t blobs = 0, bytes = 0, stored_bytes = 0;
  void add(int64_t sign, uint64_t more_bytes, uint64_t more_stored_bytes) {
    blobs += sign;
    bytes += sign * static_cast<int64_t>(more_bytes);
    stored_bytes += sign * static_cast<int64_t>(more_stored_bytes);
  }
};

Result<int64_t> pack_number(Connection& connection, const Uuid& pack, uint64_t pack_bytes) {
  PLZ_ASSIGN(
      Statement insert,
      connection.statement("INSERT INTO packs (id, pack_bytes, blobs, bytes, stored_bytes) VALUES (?, ?, 0, 0, 0) "
                           "ON CONFLICT DO NOTHING"));
  insert.bind(pack, pack_bytes);
  PLZ_TRY(insert.run());
  PLZ_ASSIGN(Statement query, connection.statement("SELECT number FROM packs WHERE id = ?"));
  query.bind(pack);
  PLZ_TRY(query.step());
  return query.column<int64_t>(0);
}

Result<void> drop_pack(Connection& connection, const Uuid& pack) {
  PLZ_ASSIGN(Statement drop, connection.statement("INSERT INTO dropped_packs VALUES (?) ON CONFLICT DO NOTHING"));
  drop.bind(pack);
  return drop.run();
}

// A pack that no blob lies in any more has no row.
Result<void> add_to_pack(Connection& connection, int64_t pack, const PackSums& more) {
  PLZ_ASSIGN(Statement add, connection.statement("UPDATE packs SET blobs = blobs + ?, bytes = bytes + ?, "
                                                 "stored_bytes = stored_bytes + ? WHERE number = ?"));
  add.bind(more.blobs, more.bytes, more.stored_bytes, pack);
  PLZ_TRY(add.run());
  PLZ_ASSIGN(Statement remove, connection.statement("DELETE FROM packs WHERE number = ? AND blobs = 0 RETURNING id"));
  remove.bind(pack);
  PLZ_ASSIGN(bool removed, remove.step());
  if (!removed) return {};
  const auto id = remove.column<Uuid>(0);
  PLZ_TRY(remove.run());
  return drop_pack(connection, id);
}

Result<bool> any_lease(Connection& connection, Timestamp now) {
  PLZ_ASSIGN(Statement forget, connection.statement("DELETE FROM leases WHERE expires <= ?"));
  forget.bind(now);
  PLZ_TRY(forget.run());
  PLZ_ASSIGN(Statement query, connection.statement("SELECT 1 FROM leases LIMIT 1"));
  return query.step();
}

Result<void> delete_blobs(Connection& connection, std::span<const Digest> digests) {
  PLZ_ASSIGN(Statement remove,
             connection.statement("DELETE FROM blobs WHERE digest = ? RETURNING pack, bytes, stored_bytes"));
  PLZ_ASSIGN(Statement unmark, connection.statement("DELETE FROM damaged_blobs WHERE digest = ?"));
  std::map<int64_t, PackSums> packs;
  for (auto [prefix, i] : sorted_order(digests, [](const Digest& digest) -> const Digest& { return digest; })) {
    remove.bind(digests[i]);
    PLZ_ASSIGN(bool removed, remove.step());
    if (!removed) continue;
    uint64_t bytes = 0, stored_bytes = 0;
    int64_t pack = 0;
    remove.read(pack, bytes, stored_bytes);
    packs[pack].add(-1, bytes, stored_bytes);
    PLZ_TRY(remove.run());
    unmark.bind(digests[i]);
    PLZ_TRY(unmark.run());
  }
  for (const auto& [pack, sums] : packs) PLZ_TRY(add_to_pack(connection, pack, sums));
  return {};
}

// Those that are marked.
Result<std::set<Digest>> damaged_blobs(Connection& connection) {
  PLZ_ASSIGN(Statement query, connection.statement("SELECT digest FROM damaged_blobs"));
  std::set<Digest> damaged;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return damaged;
    damaged.insert(query.column<Digest>(0));
  }
}

// What is damaged makes room for what comes.
Result<void> replace_damaged(Connection& connection, std::span<const BlobRecord> blobs) {
  PLZ_ASSIGN(auto damaged, damaged_blobs(connection));
  if (damaged.empty()) return {};
  std::vector<Digest> replaced;
  for (const BlobRecord& blob : blobs)
    if (damaged.contains(blob.digest)) replaced.push_back(blob.digest);
  return delete_blobs(connection, replaced);
}

Result<PackSums> insert_blobs(Connection& connection, int64_t pack, std::span<const BlobRecord> blobs) {
  PLZ_ASSIGN(Statement insert,
             connection.statement("INSERT INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"));
  PackSums sums;
  for (auto [prefix, i] : sorted_order(blobs, [](const BlobRecord& blob) -> const Digest& { return blob.digest; })) {
    const BlobRecord& blob = blobs[i];
    insert.bind(blob.digest, pack, blob.offset, blob.stored_bytes, blob.bytes, blob.checksum, int{blob.codec});
    PLZ_TRY(insert.run());
    if (connection.changed_rows() > 0) sums.add(1, blob.bytes, blob.stored_bytes);
  }
  return sums;
}

Result<void> move_blobs(Connection& connection, int64_t pack, std::span<const BlobRecord> blobs) {
  PLZ_ASSIGN(Statement move, connection.statement("UPDATE blobs SET position = ? WHERE digest = ? AND pack = ?"));
  int64_t moved = 0;
  for (auto [prefix, i] : sorted_order(blobs, [](const BlobRecord& blob) -> const Digest& { return blob.digest; })) {
    move.bind(blobs[i].offset, blobs[i].digest, pack);
    PLZ_TRY(move.run());
    moved += connection.changed_rows();
  }
  if (moved == static_cast<int64_t>(blobs.size())) return {};
  return fail(ErrorCode::conflict, "a blob lies in another pack by now");
}

// Remembers what it has looked up.
class PackIds {
 public:
  explicit PackIds(Connection& connection) : connection_(connection) {}

  Result<Uuid> id_of(int64_t number) {
    auto it = ids_.find(number);
    if (it != ids_.end()) return it->second;
    PLZ_ASSIGN(Statement query, connection_.statement("SELECT id FROM packs WHERE number = ?"));
    query.bind(number);
    PLZ_TRY(query.step());
    return ids_[number] = query.column<Uuid>(0);
  }

 private:
  Connection& connection_;
  std::map<int64_t, Uuid> ids_;
};

}  // namespace

Result<void> SqliteBlobs::add_pack(const Uuid& pack, uint64_t pack_bytes, std::span<const BlobRecord> blobs) {
  return store_.write(Durability::durable, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(int64_t number, pack_number(connection, pack, pack_bytes));
    PLZ_TRY(replace_damaged(connection, blobs));
    PLZ_ASSIGN(PackSums sums, insert_blobs(connection, number, blobs));
    PLZ_TRY(add_to_pack(connection, number, sums));
    return count_reference_change(connection);
  });
}

Result<std::vector<std::optional<BlobRecord>>> SqliteBlobs::find(std::span<const Digest> digests) {
  std::vector<std::optional<BlobRecord>> records(digests.size());
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(ReadTransaction transaction, ReadTransaction::begin(*reader));
  PLZ_ASSIGN(
      Statement query,
      reader->statement("SELECT pack, position, stored_bytes, bytes, checksum, codec FROM blobs WHERE digest = ?"));
  PLZ_ASSIGN(const auto damaged, damaged_blobs(*reader));
  PackIds packs(*reader);
  for (auto [prefix, i] : sorted_order(digests, [](const Digest& digest) -> const Digest& { return digest; })) {
    query.bind(BorrowedBytes{digests[i].view()});
    PLZ_ASSIGN(bool found, query.step());
    if (!found) continue;
    BlobRecord& record = records[i].emplace();
    int64_t pack = 0;
    record.digest = digests[i];
    query.read(pack, record.offset, record.stored_bytes, record.bytes, record.checksum, record.codec);
    PLZ_ASSIGN(record.pack, packs.id_of(pack));
    record.damaged = !damaged.empty() && damaged.contains(record.digest);
  }
  return records;
}

Result<void> SqliteBlobs::mark_damaged(std::span<const Digest> digests, const std::string& fault) {
  return store_.write(Durability::durable, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(Statement mark, connection.statement("INSERT INTO damaged_blobs SELECT digest, ? FROM blobs "
                                                    "WHERE digest = ? ON CONFLICT DO NOTHING"));
    for (const Digest& digest : digests) {
      mark.bind(fault, digest);
      PLZ_TRY(mark.run());
    }
    return {};
  });
}

Result<void> SqliteBlobs::mark_sound(const Digest& digest) {
  return store_.write(Durability::relaxed, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(Statement mark, connection.statement("DELETE FROM damaged_blobs WHERE digest = ?"));
    mark.bind(digest);
    return mark.run();
  });
}

Result<std::vector<std::pair<Digest, std::string>>> SqliteBlobs::damaged() {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement("SELECT digest, fault FROM damaged_blobs ORDER BY digest"));
  std::vector<std::pair<Digest, std::string>> damaged;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return damaged;
    damaged.emplace_back(query.column<Digest>(0), query.column<std::string>(1));
  }
}

Result<std::vector<Uuid>> SqliteBlobs::packs() { return ids("SELECT id FROM packs ORDER BY number"); }
Result<std::vector<Uuid>> SqliteBlobs::dropped_packs() { return ids("SELECT id FROM dropped_packs"); }

Result<std::vector<std::pair<Uuid, uint64_t>>> SqliteBlobs::pack_sizes() {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement("SELECT id, pack_bytes FROM packs"));
  std::vector<std::pair<Uuid, uint64_t>> sizes;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return sizes;
    sizes.emplace_back(query.column<Uuid>(0), query.column<uint64_t>(1));
  }
}

Result<std::vector<Uuid>> SqliteBlobs::ids(const std::string& sql) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement(sql));
  std::vector<Uuid> ids;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return ids;
    ids.push_back(query.column<Uuid>(0));
  }
}

Result<void> SqliteBlobs::forget_dropped_pack(const Uuid& pack) {
  return store_.write(Durability::relaxed, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(Statement forget, connection.statement("DELETE FROM dropped_packs WHERE id = ?"));
    forget.bind(pack);
    return forget.run();
  });
}

Result<BlobRecords::Totals> SqliteBlobs::totals() {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query,
             reader->statement("SELECT sum(blobs), sum(bytes), sum(stored_bytes), count(*) FROM packs"));
  PLZ_TRY(query.step());
  Totals totals;
  query.read(totals.blobs, totals.bytes, totals.stored_bytes, totals.packs);
  return totals;
}

Result<void> SqliteBlobs::hold_lease(LeaseId lease, Timestamp expires) {
  return store_.write(Durability::relaxed, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(Statement hold, connection.statement("INSERT OR REPLACE INTO leases VALUES (?, ?)"));
    hold.bind(lease, expires);
    return hold.run();
  });
}

Result<void> SqliteBlobs::end_lease(LeaseId lease) {
  return store_.write(Durability::relaxed, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(Statement end, connection.statement("DELETE FROM leases WHERE id = ?"));
    end.bind(lease);
    return end.run();
  });
}

Result<std::optional<Timestamp>> SqliteBlobs::leased_until(Timestamp now) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement("SELECT max(expires) FROM leases WHERE expires > ?"));
  query.bind(now);
  PLZ_TRY(query.step());
  return query.column<std::optional<Timestamp>>(0);
}

Result<void> SqliteBlobs::each(const std::function<bool(const BlobRecord&)>& visit) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(ReadTransaction transaction, ReadTransaction::begin(*reader));
  PLZ_ASSIGN(Statement query, reader->statement("SELECT digest, pack, position, stored_bytes, bytes, checksum, codec "
                                                "FROM blobs ORDER BY digest"));
  PackIds packs(*reader);
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return {};
    BlobRecord record;
    int64_t pack = 0;
    query.read(record.digest, pack, record.offset, record.stored_bytes, record.bytes, record.checksum, record.codec);
    PLZ_ASSIGN(record.pack, packs.id_of(pack));
    if (!visit(record)) return {};
  }
}

Result<uint64_t> SqliteBlobs::reference_changes() {
  PLZ_ASSIGN(auto reader, store_.reader());
  return read_reference_changes(*reader);
}

Result<BlobRemoval> SqliteBlobs::remove_unleased(std::span<const Digest> digests, Timestamp now,
                                                 uint64_t reference_changes) {
  BlobRemoval removal = BlobRemoval::removed;
  PLZ_TRY(store_.write(Durability::durable, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(bool leased, any_lease(connection, now));
    PLZ_ASSIGN(uint64_t changes, read_reference_changes(connection));
    removal = leased                         ? BlobRemoval::leased
              : changes != reference_changes ? BlobRemoval::outdated
                                             : BlobRemoval::removed;
    if (removal != BlobRemoval::removed) return {};
    return delete_blobs(connection, digests);
  }));
  return removal;
}

Result<void> SqliteBlobs::replace_pack(const Uuid& from, const Uuid& to, uint64_t pack_bytes,
                                       std::span<const BlobRecord> blobs) {
  return store_.write(Durability::durable, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(Statement query, connection.statement("SELECT number, blobs FROM packs WHERE id = ?"));
    query.bind(from);
    PLZ_ASSIGN(bool found, query.step());
    int64_t number = 0;
    uint64_t count = 0;
    if (found) query.read(number, count);
    if (!found || count != blobs.size()) return fail(not_replaced(from));
    PLZ_TRY(move_blobs(connection, number, blobs));
    PLZ_ASSIGN(Statement rename, connection.statement("UPDATE packs SET id = ?, pack_bytes = ? WHERE number = ?"));
    rename.bind(to, pack_bytes, number);
    PLZ_TRY(rename.run());
    return drop_pack(connection, from);
  });
}

}  // namespace plz
