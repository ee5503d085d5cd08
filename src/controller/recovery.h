// Makes records anew from files, where the database that knew them is lost: of blobs from packs, and of each directory
// and each log that nothing refers to an execution of its own, so that the ordinary commands reach them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controller/services/blob_service.h"
#include "db/database.h"
#include "store/pack_store.h"

namespace plz {

struct FoundLog {
  Uuid attempt;
  uint64_t bytes = 0;
};

struct Recovered {
  uint64_t packs = 0, blobs = 0, bytes = 0;
  uint64_t damaged_blobs = 0;
  std::vector<std::string> broken_packs;  // in words
  std::vector<PackId> useless_packs;      // with nothing sound in them
  uint64_t directories = 0;               // that nothing else names, as executions of their own
  uint64_t incomplete = 0;                // of those: something below them is not there
  uint64_t logs = 0;                      // as executions of their own
  uint64_t missing_packs = 0;             // that the database knows, and that are not there
};

// The project of executions that are made here.
inline constexpr const char* kRecoveredProject = "recovered";

// For a controller that is not running. What the database knows stays as it is; run again, it finds nothing more.
class Recovery {
 public:
  Recovery(Database& database, PackStore& packs, std::string user, const Clock& clock)
      : database_(database), packs_(packs), user_(std::move(user)), clock_(clock) {}

  Result<Recovered> run(const std::vector<FoundLog>& logs);

 private:
  Result<void> take_in(PackId id);
  void look_into(const Digest& digest, std::string_view bytes, PackId pack);
  Result<void> record_directories();
  Result<void> record_logs(const std::vector<FoundLog>& logs);
  Result<void> record_execution(const Digest& tree, bool is_output, const FoundLog* log, Timestamp time,
                                const std::string& reason);
  Result<Digest> empty_tree();
  Result<bool> has_all_below(const Digest& root);

  Database& database_;
  PackStore& packs_;
  const std::string user_;
  const Clock& clock_;
  Recovered done_;
  struct TakenTree {
    std::vector<Digest> names;  // of what it refers to
    PackId pack;
  };
  std::map<Digest, TakenTree> trees_;  // and lists of chunks, of packs that were taken in
  std::set<Digest> lists_;             // of chunks, among these
  std::set<Digest> named_;             // by any of them
};

}  // namespace plz
