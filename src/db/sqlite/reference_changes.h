// The number behind BlobRecords::reference_changes().
#pragma once

#include <cstdint>

#include "base/result.h"
#include "db/sqlite/connection.h"

namespace plz {

inline Result<void> count_reference_change(Connection& connection) {
  PLZ_ASSIGN(Statement count, connection.statement("UPDATE reference_changes SET number = number + 1"));
  return count.run();
}

inline Result<uint64_t> read_reference_changes(Connection& connection) {
  PLZ_ASSIGN(Statement query, connection.statement("SELECT number FROM reference_changes"));
  PLZ_TRY(query.step());
  return query.column<uint64_t>(0);
}

}  // namespace plz
