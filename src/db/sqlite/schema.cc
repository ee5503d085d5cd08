#include "db/sqlite/schema.h"

#include <string>

#include "db/sqlite/migrations.h"

namespace plz {
namespace {

constexpr int64_t kApplicationId = 0x706c7a64;  // "plzd"; persisted

// A new file has no tables and no mark; any other without the mark belongs to somebody else.
Result<void> check_owner(Connection& connection) {
  PLZ_ASSIGN(int64_t owner, connection.query_number("PRAGMA application_id"));
  if (owner == kApplicationId) return {};
  PLZ_ASSIGN(int64_t tables, connection.query_number("SELECT count(*) FROM sqlite_schema"));
  if (owner == 0 && tables == 0) return {};
  return fail(ErrorCode::invalid, connection.path() + " is a database of another program", "use another PLZ_DATA_DIR");
}

Result<void> migrate(Connection& connection, int64_t to) {
  std::string sql = "BEGIN IMMEDIATE;";
  sql += migrations()[static_cast<size_t>(to - 1)];
  sql += "; PRAGMA application_id = " + std::to_string(kApplicationId);
  sql += "; PRAGMA user_version = " + std::to_string(to) + "; COMMIT;";
  auto result = connection.execute(sql);
  if (result) return {};
  if (connection.in_transaction()) (void)connection.execute("ROLLBACK");
  return fail(std::move(result).error().with_context("bringing the database to schema " + std::to_string(to)));
}

}  // namespace

Result<void> bring_up_to_date(Connection& connection) {
  PLZ_TRY(check_owner(connection));
  auto known = static_cast<int64_t>(migrations().size());
  PLZ_ASSIGN(int64_t version, connection.query_number("PRAGMA user_version"));
  if (version > known)
    return fail(ErrorCode::conflict,
                connection.path() + " was written by a newer plz (schema " + std::to_string(version) +
                    "; this one knows " + std::to_string(known) + ")",
                "use the newer plz, or another PLZ_DATA_DIR");
  // Kept in the file. With full syncs until the first write says what it needs.
  PLZ_TRY(
      connection.execute("PRAGMA auto_vacuum = NONE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                         "PRAGMA journal_size_limit = 8388608"));
  for (; version < known; ++version) PLZ_TRY(migrate(connection, version + 1));
  return {};
}

}  // namespace plz
