#include "controller/collection/sweeper.h"

#include <algorithm>
#include <mutex>

#include <fmt/core.h>

#include "base/log.h"
#include "store/pack_format.h"

namespace plz {
namespace {

constexpr size_t kRecordsAtOnce = 8192;
constexpr std::chrono::milliseconds kBetweenLooks{20};

// A pack that is recorded but is not there is damage, and not of this one's making.
Result<std::optional<uint64_t>> size_if_there(PackStore& packs, PackId id) {
  auto size = packs.size(id);
  if (!size && size.error().code == ErrorCode::not_found) return std::optional<uint64_t>();
  if (!size) return fail(std::move(size).error());
  return std::optional(*size);
}

uint64_t size_with(uint64_t record_bytes) { return record_bytes == 0 ? 0 : kPackMagic.size() + record_bytes; }

void count_shrunk(uint64_t before, uint64_t after, Swept& done) {
  if (before <= after) return;
  done.bytes += before - after;
  ++(after == 0 ? done.packs_removed : done.packs_rewritten);
}

}  // namespace

Sweeper::Sweeper(SweeperParts parts, BlobTable& table, Marker& marker) : parts_(parts), table_(table), marker_(marker) {
  for (size_t pack = 0; pack < table_.packs(); ++pack) known_packs_.insert(table_.pack_id(pack));
}

// Nobody knows what a damaged tree names.
bool Sweeper::keeps(uint32_t blob) const { return !marker_.damage().empty() || table_.is_kept(blob); }

Result<Swept> Sweeper::foresee() {
  Swept swept;
  swept.damage = marker_.damage();
  for (size_t pack = 0; pack < table_.packs(); ++pack) {
    uint64_t kept = 0;
    for (uint32_t blob : table_.blobs_of(pack)) {
      if (keeps(blob)) kept += table_.bytes_in_pack(blob);
      else ++swept.blobs;
    }
    PLZ_ASSIGN(auto size, size_if_there(parts_.packs, PackId(table_.pack_id(pack))));
    if (size) count_shrunk(*size, size_with(kept), swept);
  }
  PLZ_ASSIGN(auto leftovers, parts_.blobs.leftover_packs());
  for (PackId id : leftovers) {
    PLZ_ASSIGN(auto size, size_if_there(parts_.packs, id));
    if (size) count_shrunk(*size, 0, swept);
  }
  PLZ_ASSIGN(swept.held_up, who_holds_up());
  return swept;
}

Result<void> Sweeper::sweep(std::chrono::milliseconds patience, const std::stop_token& stop, Swept& done) {
  auto all = remove_records(patience, stop, done);
  if (all && !*all) {
    PLZ_ASSIGN(done.held_up, who_holds_up());
    if (done.held_up.empty()) done.held_up = "captures were under way";
  }
  // Whatever came of that: the bytes of what has no record are of no use.
  auto shrunk = shrink_packs(stop, done);
  done.damage.insert(done.damage.begin(), marker_.damage().begin(), marker_.damage().end());
  if (!all) return fail(std::move(all).error());
  return shrunk;
}

Result<bool> Sweeper::remove_records(std::chrono::milliseconds patience, const std::stop_token& stop, Swept& done) {
  const SteadyTime deadline = parts_.clock.steady() + patience;
  std::vector<uint32_t> batch;
  for (size_t pack = table_.packs(); pack-- > 0;) {
    for (uint32_t blob : table_.blobs_of(pack))
      if (!keeps(blob)) batch.push_back(blob);
    if (batch.empty() || (batch.size() < kRecordsAtOnce && pack > 0)) continue;
    PLZ_ASSIGN(bool removed, remove_batch(std::exchange(batch, {}), deadline, stop, done));
    if (!removed) return false;
  }
  return true;
}

Result<bool> Sweeper::remove_batch(std::vector<uint32_t> batch, SteadyTime deadline, const std::stop_token& stop,
                                   Swept& done) {
  for (;;) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the controller is ending");
    // Read first: what changes later makes the removal outdated.
    PLZ_ASSIGN(const uint64_t changes, parts_.records.reference_changes());
    PLZ_TRY(catch_up(stop));
    std::erase_if(batch, [&](uint32_t blob) { return keeps(blob); });
    std::vector<Digest> digests;
    for (uint32_t blob : batch) digests.push_back(table_.digest(blob));
    PLZ_ASSIGN(BlobRemoval removal, parts_.records.remove_unleased(digests, parts_.clock.now(), changes));
    if (removal == BlobRemoval::removed) {
      done.blobs += batch.size();
      return true;
    }
    if (removal == BlobRemoval::outdated) continue;
    PLZ_ASSIGN(bool free, wait_for_captures(deadline, stop));
    if (!free) return false;
  }
}

Result<void> Sweeper::catch_up(const std::stop_token& stop) {
  PLZ_TRY(marker_.mark(parts_.references.take(), stop));
  PLZ_ASSIGN(auto packs, parts_.records.packs());
  for (const Uuid& pack : packs) {
    if (known_packs_.contains(pack)) continue;
    PLZ_TRY(marker_.mark_pack(pack, stop));
    known_packs_.insert(pack);
  }
  return {};
}

Result<bool> Sweeper::wait_for_captures(SteadyTime deadline, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  for (;;) {
    PLZ_ASSIGN(auto until, parts_.records.leased_until(parts_.clock.now()));
    if (!until) return true;
    if (parts_.clock.steady() >= deadline || stop.stop_requested()) return false;
    never.wait_for(lock, stop, kBetweenLooks, [] { return false; });
  }
}

Result<std::string> Sweeper::who_holds_up() {
  PLZ_ASSIGN(auto until, parts_.records.leased_until(parts_.clock.now()));
  if (!until) return std::string();
  return fmt::format("captures are under way, the last of which is over at {} at the latest", format_rfc3339(*until));
}

// First what makes room, then what needs some for a while.
Result<void> Sweeper::shrink_packs(const std::stop_token& stop, Swept& done) {
  PLZ_TRY(remove_leftovers(done));
  for (size_t pack = 0; pack < table_.packs(); ++pack) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the controller is ending");
    auto shrunk = shrink(pack, done);
    if (!shrunk && shrunk.error().code == ErrorCode::damaged) done.damage.push_back(shrunk.error().message);
    else if (!shrunk) return shrunk;
  }
  return {};
}

Result<void> Sweeper::remove_leftovers(Swept& done) {
  PLZ_ASSIGN(auto leftovers, parts_.blobs.leftover_packs());
  for (PackId id : leftovers) {
    PLZ_ASSIGN(auto size, size_if_there(parts_.packs, id));
    if (size) PLZ_TRY(remove_pack(id, *size, done));
  }
  return {};
}

Result<void> Sweeper::shrink(size_t pack, Swept& done) {
  const PackId id(table_.pack_id(pack));
  uint64_t most = 0;
  std::vector<Digest> digests;
  for (uint32_t blob : table_.blobs_of(pack)) {
    most += table_.bytes_in_pack(blob);
    digests.push_back(table_.digest(blob));
  }
  PLZ_ASSIGN(auto size, size_if_there(parts_.packs, id));
  const bool all_kept = std::all_of(table_.blobs_of(pack).begin(), table_.blobs_of(pack).end(),
                                    [&](uint32_t blob) { return table_.is_kept(blob); });
  if (!size || (all_kept && *size <= size_with(most))) return {};
  PLZ_ASSIGN(auto found, parts_.records.find(digests));
  std::vector<BlobRecord> blobs;
  uint64_t needed = 0;
  for (const auto& record : found) {
    if (!record || record->pack != id.uuid()) continue;
    blobs.push_back(*record);
    needed += kPackRecordHeaderBytes + record->stored_bytes;
  }
  // One without any record was among the leftovers.
  if (blobs.empty() || *size <= size_with(needed)) return {};
  return rewrite(id, *size, std::move(blobs), done);
}

Result<void> Sweeper::rewrite(PackId from, uint64_t from_bytes, std::vector<BlobRecord> blobs, Swept& done) {
  const PackId to = PackId::make(parts_.clock);
  PLZ_ASSIGN(const uint64_t bytes, write_pack(to, blobs));
  if (auto replaced = parts_.records.replace_pack(from.uuid(), to.uuid(), bytes, blobs); !replaced) {
    // Whether it was, only the records can tell: the next start removes the one that they do not name.
    return fail(std::move(replaced).error().with_context("writing the pack " + from.to_string() + " anew"));
  }
  known_packs_.insert(to.uuid());
  PLZ_TRY(parts_.packs.settle(to));
  PLZ_TRY(parts_.blobs.remove_leftover(from));
  count_shrunk(from_bytes, bytes, done);
  return {};
}

// The stored bytes go over as they are. `blobs` then say where they lie.
Result<uint64_t> Sweeper::write_pack(PackId id, std::vector<BlobRecord>& blobs) {
  std::sort(blobs.begin(), blobs.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  PLZ_ASSIGN(auto writer, parts_.packs.create(id));
  PLZ_TRY(writer->append(kPackMagic));
  uint64_t at = kPackMagic.size();
  std::string piece;
  for (BlobRecord& blob : blobs) {
    piece.clear();
    append_pack_record_header(
        piece, {blob.digest, blob.bytes, blob.stored_bytes, blob.checksum, static_cast<Codec>(blob.codec)});
    PLZ_TRY(writer->append(piece));
    at += piece.size();
    piece.resize(blob.stored_bytes);
    auto read = parts_.packs.read(PackId(blob.pack), blob.offset, piece.data(), piece.size());
    if (read && checksum_of_stored(piece) != blob.checksum)
      read = fail(ErrorCode::damaged, "its bytes are not what was stored");
    if (!read && read.error().code == ErrorCode::damaged) {
      PLZ_TRY(parts_.records.mark_damaged({&blob.digest, 1}, read.error().message));
      return fail(ErrorCode::damaged,
                  fmt::format("the blob {} in the pack {} is damaged: {}; the pack was left as it is",
                              blob.digest.hex(), PackId(blob.pack).to_string(), read.error().message));
    }
    PLZ_TRY(std::move(read));
    PLZ_TRY(writer->append(piece));
    blob.pack = id.uuid();
    blob.offset = at;
    at += blob.stored_bytes;
  }
  PLZ_TRY(writer->commit());
  return at;
}

Result<void> Sweeper::remove_pack(PackId id, uint64_t bytes, Swept& done) {
  PLZ_TRY(parts_.blobs.remove_leftover(id));
  count_shrunk(bytes, 0, done);
  return {};
}

}  // namespace plz
