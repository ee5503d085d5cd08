// Packs as files: DIRECTORY/packs/xx/UUID.pack, xx the last two digits of the UUID (its first are
// the time). A pack is written under DIRECTORY/packs/incoming and renamed when it is whole and on
// disk, so that what has a pack's name is a pack; until it is settled it is called UUID.pack.new.
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
  Result<void> settle(PackId id) override;
  Result<std::vector<PackId>> unsettled() override;

  // Out of list() and out of the way, to DIRECTORY/unrecorded.
  Result<void> set_aside(PackId id);
  // Those that were, back into list(), settled.
  Result<std::vector<PackId>> take_back();

  std::string path_of(PackId id) const;

 private:
  explicit LocalPackStore(std::string directory) : aside_(directory + "/unrecorded"), packs_(directory + "/packs") {}
  // Where the file is, settled or not; not_found.
  Result<UniqueFd> open_either(PackId id) const;
  std::string unsettled_path_of(PackId id) const { return path_of(id) + ".new"; }
  Result<std::vector<PackId>> list_with(bool settled, bool unsettled) const;
  // Shared by the readers of the moment and the list of open packs: a pack that is removed or falls
  // out of the list stays open for those who still read it.
  Result<std::shared_ptr<UniqueFd>> open_pack(PackId id);

  std::string aside_;  // DIRECTORY/unrecorded
  std::string packs_;  // DIRECTORY/packs
  std::mutex mutex_;
  std::list<std::pair<PackId, std::shared_ptr<UniqueFd>>> open_packs_;  // latest first; by mutex_
};

}  // namespace plz
