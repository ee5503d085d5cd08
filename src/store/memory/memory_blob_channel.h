// Blobs in memory, taken and given: for tests.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/blob_channel.h"

namespace plz {

// Refuses a pack whose blobs are not what their digests say.
class MemoryBlobChannel final : public BlobSink, public BlobSource {
 public:
  Result<std::vector<bool>> missing(std::span<const Digest> digests) override;
  Result<void> send_pack(std::string pack) override;
  Result<void> fetch(std::span<const Digest> digests, const Receive& receive) override;

  Digest put(std::string bytes);  // as if it had been sent
  std::optional<std::string> get(const Digest& digest) const;
  void erase(const Digest& digest);
  void clear();  // of blobs; the counts stay

  struct Counts {
    size_t missing_calls = 0, digests_asked = 0, packs = 0, pack_bytes = 0, blobs_received = 0, fetches = 0;
  };
  Counts counts() const;
  size_t blobs() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<Digest, std::string> blobs_;
  Counts counts_;
};

}  // namespace plz
