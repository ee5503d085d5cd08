// Whether the database of a data directory is the one that its packs and logs were recorded in. store/ and logs/ hold a
// file `database` each, which names it:
//
//   database UUID      its id
//   opening UUID       the token of the last time that a controller opened it
//   boot ID            of the machine then
//   ended yes|no       whether that controller closed it
//
// A database that is new, older than the files, or another's would take them for leftovers, and jobs and outputs for
// unknown: the controller stops, says what it found, and changes nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/data_directory.h"
#include "base/result.h"
#include "base/uuid.h"
#include "controller/services/blob_service.h"
#include "db/database.h"
#include "store/local/local_pack_store.h"

namespace plz {

// For one start of a controller, which holds the directory's lock.
class FileOwnership {
 public:
  explicit FileOwnership(const DataDirectory& data) : data_(data) {}

  // Before the database is opened: refuses one that is absent or empty where there are files that some database
  // knew. One that was left open is looked through for damage, its write-ahead log too.
  Result<void> check_files();
  // Before packs and logs are: refuses those that belong to another database, or to a later state of this one.
  Result<void> check_owner(IdentityRecords& identity);
  // Refuses packs that the database knows nothing of, and ones that are not what it knows.
  Result<void> check_packs(IdentityRecords& identity, BlobService& blobs, LocalPackStore& packs);
  // The files are this database's from here on, whoever's they were.
  Result<void> take(IdentityRecords& identity);
  // Right before the database is closed.
  void note_end();

 private:
  struct Mark {
    Uuid database, opening;
    std::string boot;
    bool ended = false;
  };
  std::vector<std::string> places() const { return {data_.store(), data_.logs()}; }
  Result<std::optional<Mark>> read_mark(const std::string& place) const;
  Result<void> write_marks(const Mark& mark) const;
  Result<void> look_at_open_database(const Mark& latest) const;
  Result<void> compare(const std::string& place, const DatabaseIdentity& identity,
                       const std::function<Result<bool>(const Uuid&)>& was_opened) const;
  // "3 packs, 2 logs", or "".
  Result<std::string> what_is_there() const;

  const DataDirectory& data_;
  std::optional<Mark> mark_;
};

}  // namespace plz
