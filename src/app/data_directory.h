// The directory that a controller keeps everything in:
//
//   format           the layout's version: a newer one is refused
//   controller.lock  held by the one controller that uses it
//   controller.address   where it listens, while it does (wire/controller_address.h)
//   plz.db           the database; plz.db-wal, plz.db-shm: SQLite's; plz.db-acknowledged: how far plz.db-wal reached
//   store/           packs, and whose they are (file_ownership.h)
//   logs/            attempts' logs, and whose they are
//   worker/          the local worker's own
//   reserve          room for the ends of executions, given up to them where the disk is full
//   controller.toml  its settings, if a person wrote some (controller_options.h)
//   controller.log, worker.log
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "os/lock_file.h"

namespace plz {

inline constexpr int kDataFormat = 1;

struct DataDirectory {
  std::string path;
  LockFile lock;

  std::string database() const { return path + "/plz.db"; }
  std::string store() const { return path + "/store"; }
  std::string logs() const { return path + "/logs"; }
  std::string worker() const { return path + "/worker"; }
};

// Makes it where it is absent (0700; store/ and logs/ are made by their owners), checks its format, and takes its lock.
// Refuses a network file system, on which neither locks nor the database can be trusted. conflict: another controller
// has it.
Result<DataDirectory> open_data_directory(const std::string& path);

// For who looks for the controller of this directory: that this process listens on `socket`. A disk without room for it
// is only logged.
void record_address(const DataDirectory& data, const std::string& socket);
void forget_address(const DataDirectory& data);

}  // namespace plz
