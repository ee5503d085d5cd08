// Blobs in a PackStore, with the index of what lies where in memory: for tests and benchmarks. What
// the controller does with its database, without one.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/blob_channel.h"
#include "store/pack_store.h"

namespace plz {

class PackBlobChannel final : public BlobSink, public BlobSource {
 public:
  explicit PackBlobChannel(PackStore& packs) : packs_(packs) {}
  // Reads the packs that are in the store already.
  Result<void> load();

  Result<std::vector<bool>> missing(std::span<const Digest> digests) override;
  Result<void> send_pack(std::string pack) override;
  Result<void> fetch(std::span<const Digest> digests, const Receive& receive) override;

 private:
  using Index = std::unordered_map<Digest, BlobLocation>;
  Result<Index> parse(PackId id, std::string_view pack) const;
  void add(Index index);
  std::optional<BlobLocation> find(const Digest& digest) const;

  PackStore& packs_;
  SystemClock clock_;
  mutable std::mutex mutex_;
  Index index_;  // by mutex_
};

}  // namespace plz
