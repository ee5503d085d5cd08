// Reads everything in the store and all logs, compares it with the records, and says who needs what is damaged.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "controller/pumped_stream.h"
#include "controller/services/damage_walk.h"
#include "controller/services/log_damage.h"
#include "db/database.h"
#include "store/pack_store.h"
#include "wire/check_json.h"

namespace plz {

// A stream of lines of JSON: check_json.h. What is stored after it began is not looked at. Memory: about 130 bytes a
// blob, and the largest blob.
class StoreCheck final : public Producer {
 public:
  StoreCheck(Database& database, PackStore& packs, const ExecutionService& executions, LogStore& logs, bool repair)
      : database_(database), packs_(packs), executions_(executions), logs_(logs), repair_(repair) {}
  State produce(std::string& piece, size_t target_bytes) override;

 private:
  Result<void> begin();
  Result<void> check_some();
  Result<void> check_some_logs();
  Result<void> check_log(const Execution& execution, LogKind kind);
  Result<void> finish();
  Result<void> check(const BlobRecord& blob);
  // "": it is sound.
  std::string fault_of(const BlobRecord& blob);
  Result<void> read(const BlobRecord& blob, std::string_view& record);
  Result<void> note_who_needs_it();

  Database& database_;
  PackStore& packs_;
  const ExecutionService& executions_;
  LogStore& logs_;
  const bool repair_;
  bool begun_ = false;
  std::vector<BlobRecord> blobs_;  // in the order in which they lie
  size_t next_ = 0;
  std::optional<ExecutionId> logs_before_;  // of executions that are older come next
  bool logs_done_ = false;
  CheckReport report_;
  std::vector<Digest> damaged_;
  std::string window_;  // of a pack, so that small blobs do not cost a call each
  Uuid window_pack_;
  uint64_t window_at_ = 0;
};

}  // namespace plz
