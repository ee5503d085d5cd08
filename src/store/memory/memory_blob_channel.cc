#include "store/memory/memory_blob_channel.h"

#include "store/hasher.h"
#include "store/pack_format.h"

namespace plz {

Result<std::vector<bool>> MemoryBlobChannel::missing(std::span<const Digest> digests) {
  std::lock_guard lock(mutex_);
  ++counts_.missing_calls;
  counts_.digests_asked += digests.size();
  std::vector<bool> answer;
  for (const auto& digest : digests) answer.push_back(!blobs_.contains(digest));
  return answer;
}

Result<void> MemoryBlobChannel::send_pack(std::string pack) {
  std::unordered_map<Digest, std::string> arrived;
  PackBlobReader reader([&](const Digest& digest, std::string_view bytes) -> Result<void> {
    if (digest_of(bytes) != digest) return fail(ErrorCode::invalid, "a blob is not what its digest says");
    arrived[digest] = bytes;
    return {};
  });
  PLZ_TRY(reader.feed(pack));
  PLZ_TRY(reader.finish());
  std::lock_guard lock(mutex_);
  ++counts_.packs;
  counts_.pack_bytes += pack.size();
  counts_.blobs_received += arrived.size();
  blobs_.merge(arrived);
  return {};
}

Result<void> MemoryBlobChannel::fetch(std::span<const Digest> digests, const Receive& receive) {
  {
    std::lock_guard lock(mutex_);
    ++counts_.fetches;
  }
  for (size_t i = 0; i < digests.size(); ++i) {
    auto bytes = get(digests[i]);
    if (!bytes) return fail(ErrorCode::not_found, "the store lacks the blob " + digests[i].hex());
    PLZ_TRY(receive(i, *bytes));
  }
  return {};
}

Digest MemoryBlobChannel::put(std::string bytes) {
  Digest digest = digest_of(bytes);
  std::lock_guard lock(mutex_);
  blobs_[digest] = std::move(bytes);
  return digest;
}

std::optional<std::string> MemoryBlobChannel::get(const Digest& digest) const {
  std::lock_guard lock(mutex_);
  auto found = blobs_.find(digest);
  if (found == blobs_.end()) return std::nullopt;
  return found->second;
}

void MemoryBlobChannel::erase(const Digest& digest) {
  std::lock_guard lock(mutex_);
  blobs_.erase(digest);
}

void MemoryBlobChannel::clear() {
  std::lock_guard lock(mutex_);
  blobs_.clear();
}

MemoryBlobChannel::Counts MemoryBlobChannel::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

size_t MemoryBlobChannel::blobs() const {
  std::lock_guard lock(mutex_);
  return blobs_.size();
}

}  // namespace plz
