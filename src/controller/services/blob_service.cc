#include "controller/services/blob_service.h"

#include <unordered_set>

#include <fmt/core.h>

#include "base/log.h"
#include "controller/services/pack_producer.h"
#include "store/pack_format.h"

namespace plz {
namespace {

constexpr size_t kReadBytes = 64u << 10;

}  // namespace

BlobService::BlobService(BlobRecords& records, PackStore& packs, const Clock& clock)
    : records_(records), packs_(packs), clock_(clock), watch_(records, packs, clock) {}

// Says that a pack is being received, for as long as it lives.
class BlobService::Incoming {
 public:
  Incoming(BlobService& service, PackId id) : service_(service), id_(id) {
    std::lock_guard lock(service_.mutex_);
    service_.incoming_.insert(id_);
  }
  ~Incoming() {
    std::lock_guard lock(service_.mutex_);
    service_.incoming_.erase(id_);
  }

 private:
  BlobService& service_;
  const PackId id_;
};

Result<void> BlobService::sweep() {
  PLZ_ASSIGN(auto leftovers, leftover_packs());
  for (const PackId& id : leftovers) {
    log_info("removing the pack {}, which no record names", id.to_string());
    PLZ_TRY(remove_leftover(id));
  }
  PLZ_ASSIGN(auto recorded, packs_.unsettled());
  for (const PackId& id : recorded) PLZ_TRY(packs_.settle(id));
  PLZ_ASSIGN(auto gone, records_.dropped_packs());
  for (const Uuid& id : gone) PLZ_TRY(records_.forget_dropped_pack(id));
  return {};
}

Result<void> BlobService::remove_leftover(PackId id) {
  PLZ_TRY(packs_.remove(id));
  return records_.forget_dropped_pack(id.uuid());
}

// The order matters: a pack that is in the list, and no longer on its way after that, has its records.
Result<std::vector<PackId>> BlobService::leftover_packs() {
  PLZ_ASSIGN(auto present, packs_.list());
  PLZ_ASSIGN(auto unsettled, packs_.unsettled());
  {
    std::lock_guard lock(mutex_);
    std::erase_if(unsettled, [&](PackId id) { return incoming_.contains(id); });
    std::erase_if(present, [&](PackId id) { return incoming_.contains(id); });
  }
  PLZ_ASSIGN(auto dropped, records_.dropped_packs());
  std::unordered_set<Uuid> without_use(dropped.begin(), dropped.end());
  for (PackId id : unsettled) without_use.insert(id.uuid());
  PLZ_ASSIGN(auto known, records_.packs());
  for (const Uuid& id : known) without_use.erase(id);
  std::erase_if(present, [&](PackId id) { return !without_use.contains(id.uuid()); });
  return present;
}

Result<std::vector<PackId>> BlobService::foreign_packs() {
  PLZ_ASSIGN(auto packs, packs_.list());
  PLZ_ASSIGN(auto unsettled, packs_.unsettled());
  PLZ_ASSIGN(auto recorded, records_.packs());
  PLZ_ASSIGN(auto dropped, records_.dropped_packs());
  std::unordered_set<Uuid> known(recorded.begin(), recorded.end());
  known.insert(dropped.begin(), dropped.end());
  for (PackId id : unsettled) known.insert(id.uuid());
  std::erase_if(packs, [&](PackId id) { return known.contains(id.uuid()); });
  return packs;
}

Result<std::vector<Digest>> BlobService::parse_digests(std::string_view octets) {
  if (octets.size() % Digest::kBytes != 0)
    return fail(ErrorCode::invalid, fmt::format("the body has {} bytes, which is not a number of digests of {} bytes",
                                                octets.size(), Digest::kBytes));
  std::vector<Digest> digests;
  digests.reserve(octets.size() / Digest::kBytes);
  for (size_t i = 0; i < octets.size(); i += Digest::kBytes) digests.push_back(Digest::from_bytes(octets.data() + i));
  return digests;
}

Result<std::string> BlobService::missing(std::span<const Digest> digests) {
  // What cannot be looked at is no reason to refuse what is there.
  if (auto looked = watch_.look(); !looked) log_error("looking at the packs: {}", looked.error().message);
  PLZ_ASSIGN(auto found, records_.find(digests));
  std::string answer(digests.size(), '\0');
  for (size_t i = 0; i < found.size(); ++i)
    if (!found[i] || found[i]->damaged) answer[i] = '\1';
  PLZ_ASSIGN(const auto damaged, records_.damaged());
  const uint64_t time = sound_.keep_up_with(damaged);
  if (damaged.empty()) return answer;
  DamageWalk walk(records_, packs_, sound_, time);
  for (size_t i = 0; i < found.size(); ++i) {
    if (answer[i] != '\0') continue;
    PLZ_ASSIGN(bool reaches_damage, walk.reaches_damage(*found[i]));
    if (reaches_damage) answer[i] = '\1';
  }
  return answer;
}

Result<bool> BlobService::has(const Digest& digest) {
  PLZ_ASSIGN(auto found, records_.find({&digest, 1}));
  return found[0].has_value();
}

Result<BlobService::Received> BlobService::receive_pack(BodyReader& body, bool trusted) {
  const PackId id = PackId::make(clock_);
  Incoming incoming(*this, id);
  return receive_into(id, body, trusted);
}

Result<BlobService::Received> BlobService::receive_into(PackId id, BodyReader& body, bool trusted) {
  PLZ_ASSIGN(auto writer, packs_.create(id));
  Received received;
  std::vector<BlobRecord> records;
  PackParser parser({[&](const PackRecordHeader& header, uint64_t offset) -> Result<void> {
                      records.push_back(BlobRecord{header.digest, id.uuid(), offset, header.stored_bytes, header.bytes,
                                                   header.checksum, static_cast<uint8_t>(header.codec)});
                      received.bytes += header.bytes;
                      return {};
                    }},
                    !trusted);
  std::string buffer(kReadBytes, '\0');
  size_t held = kReadBytes;
  for (;;) {
    PLZ_ASSIGN(size_t size, body.read(buffer.data(), buffer.size()));
    if (size == 0) break;
    std::string_view piece(buffer.data(), size);
    PLZ_TRY(parser.feed(piece));
    PLZ_TRY(writer->append(piece));
    received.stored_bytes += size;
    const size_t needed = parser.held_bytes() + records.capacity() * sizeof(BlobRecord);
    if (needed > held) PLZ_TRY(body.hold(needed));
    held = std::max(held, needed);
  }
  PLZ_TRY(parser.finish());
  received.blobs = records.size();
  if (records.empty()) return received;
  PLZ_TRY(writer->commit());
  PLZ_TRY(records_.add_pack(id.uuid(), received.stored_bytes, records));
  PLZ_TRY(packs_.settle(id));
  return received;
}

Result<std::unique_ptr<Producer>> BlobService::fetch(std::span<const Digest> digests) {
  PLZ_ASSIGN(auto found, records_.find(digests));
  std::vector<BlobRecord> records;
  records.reserve(found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) return fail(ErrorCode::not_found, "the store has no blob " + digests[i].hex());
    records.push_back(*found[i]);
  }
  return std::make_unique<PackProducer>(std::move(records), records_, packs_);
}

Result<void> BlobService::hold_lease(LeaseId lease, std::chrono::seconds duration) {
  return records_.hold_lease(lease, clock_.now() + duration);
}

Result<void> BlobService::end_lease(LeaseId lease) { return records_.end_lease(lease); }

}  // namespace plz
