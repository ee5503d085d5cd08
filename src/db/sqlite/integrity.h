// Looks a database through for damage.
#pragma once

#include <chrono>
#include <optional>

#include "base/result.h"
#include "db/sqlite/connection.h"

namespace plz {

enum class Thoroughness {
  quick,  // every page is read, and each record; SQLite's quick_check
  full,   // and whether tables and indexes tell the same; integrity_check
};

// damaged: SQLite's words for the first few faults. False: the time was over before the end was reached.
Result<bool> check_integrity(Connection& connection, Thoroughness thoroughness,
                             std::optional<std::chrono::milliseconds> at_most);

}  // namespace plz
