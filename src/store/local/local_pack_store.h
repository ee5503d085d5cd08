// Packs as files: DIRECTORY/packs/xx/UUID.pack, xx the last two digits of the UUID (its first are
// the time). A pack is written under DIRECTORY/packs/incoming and renamed when it is whole and on
// disk, so that what has a pack's name is a pack.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "os/fd.h"
#include "store/pack_store.h"

namespace plz {

// One process at a time: the caller holds the data directory's lock.
class LocalPackStore final : public PackStore {
 public:
  // Makes what is lacking, and removes what a crash left half-written.
  static Result<std::unique_ptr<LocalPackStore>> open(const std::string& directory);

  Result<std::unique_ptr<PackWriter>> create(PackId id) override;
  Result<void> read(PackId id, uint64_t offset, void* buffer, size_t size) override;
  Result<uint64_t> size(PackId id) override;
  Result<void> remove(PackId id) override;
  Result<std::vector<PackId>> list() override;

  std::string path_of(PackId id) const;

 private:
  explicit LocalPackStore(std::string packs) : packs_(std::move(packs)) {}
  // Shared by the readers of the moment and the list of open packs: a pack that is removed or falls
  // out of the list stays open for those who still read it.
  Result<std::shared_ptr<UniqueFd>> open_pack(PackId id);

  std::string packs_;  // DIRECTORY/packs
  std::mutex mutex_;
  std::list<std::pair<PackId, std::shared_ptr<UniqueFd>>> open_packs_;  // latest first; by mutex_
};

}  // namespace plz
