#include "store/memory/pack_blob_channel.h"

#include "store/pack_format.h"

namespace plz {

Result<void> PackBlobChannel::load() {
  PLZ_ASSIGN(auto ids, packs_.list());
  for (PackId id : ids) {
    PLZ_ASSIGN(uint64_t size, packs_.size(id));
    std::string pack(size, '\0');
    PLZ_TRY(packs_.read(id, 0, pack.data(), size));
    PLZ_ASSIGN(Index index, parse(id, pack));
    add(std::move(index));
  }
  return {};
}

Result<std::vector<bool>> PackBlobChannel::missing(std::span<const Digest> digests) {
  std::vector<bool> answer;
  for (const auto& digest : digests) answer.push_back(!find(digest));
  return answer;
}

Result<void> PackBlobChannel::send_pack(std::string pack) {
  PackId id = PackId::make(clock_);
  PLZ_ASSIGN(Index index, parse(id, pack));
  PLZ_ASSIGN(auto writer, packs_.create(id));
  PLZ_TRY(writer->append(pack));
  PLZ_TRY(writer->commit());
  add(std::move(index));
  return {};
}

Result<void> PackBlobChannel::fetch(std::span<const Digest> digests, const Receive& receive) {
  std::string stored, bytes;
  for (size_t i = 0; i < digests.size(); ++i) {
    auto location = find(digests[i]);
    if (!location) return fail(ErrorCode::not_found, "the store lacks the blob " + digests[i].hex());
    stored.resize(location->stored_bytes);
    PLZ_TRY(packs_.read(location->pack, location->offset, stored.data(), stored.size()));
    PLZ_TRY(decode_blob(static_cast<Codec>(location->codec), stored, location->bytes, location->checksum, bytes));
    PLZ_TRY(receive(i, bytes));
  }
  return {};
}

Result<PackBlobChannel::Index> PackBlobChannel::parse(PackId id, std::string_view pack) const {
  Index index;
  PackParser parser({[&](const PackRecordHeader& header, uint64_t offset) -> Result<void> {
                      index[header.digest] = {.pack = id,
                                              .offset = offset,
                                              .stored_bytes = header.stored_bytes,
                                              .bytes = header.bytes,
                                              .codec = static_cast<uint8_t>(header.codec),
                                              .checksum = header.checksum};
                      return {};
                    }},
                    false);
  PLZ_TRY(parser.feed(pack));
  PLZ_TRY(parser.finish());
  return index;
}

void PackBlobChannel::add(Index index) {
  std::lock_guard lock(mutex_);
  index_.merge(index);
}

std::optional<BlobLocation> PackBlobChannel::find(const Digest& digest) const {
  std::lock_guard lock(mutex_);
  auto found = index_.find(digest);
  if (found == index_.end()) return std::nullopt;
  return found->second;
}

}  // namespace plz
