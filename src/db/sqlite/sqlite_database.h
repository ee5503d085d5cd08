// All records in one SQLite file, in WAL mode.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"

namespace plz {

struct SqliteLimits {
  // Pages of 4 KiB in the write-ahead log beyond which cursors have to let go of their snapshots.
  int wal_pages = 16'384;
};

// Opens the file or makes it (mode 0600; its directory must exist), and brings its schema up to date.
// invalid: not plz's database, or it lies on a network file system, where locks and shared memory
// cannot be relied on; conflict: written by a newer plz; unavailable: another process holds it, or
// the disk is full. Cursors and callbacks in progress must end before the database is destroyed.
Result<std::unique_ptr<Database>> open_sqlite_database(const std::string& path, const SqliteLimits& limits = {});

// What can be told of a database without changing anything: its files, write-ahead log included, stay as they are.
struct DatabaseGlance {
  std::optional<DatabaseIdentity> identity;  // none: it is of a time before databases had one
  std::vector<Uuid> openings;                // latest first
};
// Looks it through for damage (PRAGMA quick_check), for so long at most. damaged: it is, or is no database at all.
Result<DatabaseGlance> glance_at_sqlite_database(const std::string& path, std::chrono::milliseconds check_for);

}  // namespace plz
