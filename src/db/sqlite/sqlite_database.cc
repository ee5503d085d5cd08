#include "db/sqlite/sqlite_database.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "db/sqlite/integrity.h"
#include "db/sqlite/schema.h"
#include "db/sqlite/sqlite_blobs.h"
#include "db/sqlite/sqlite_executions.h"
#include "db/sqlite/sqlite_history.h"
#include "db/sqlite/sqlite_identity.h"
#include "db/sqlite/sqlite_instances.h"
#include "db/sqlite/sqlite_measures.h"
#include "os/file.h"

namespace plz {
namespace {

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(const std::string& path, std::unique_ptr<Connection> writing, int max_wal_pages)
      : store_(path, std::move(writing), max_wal_pages) {}

  ExecutionRecords& executions() override { return executions_; }
  MeasureRecords& measures() override { return measures_; }
  History& history() override { return history_; }
  InstanceRecords& instances() override { return instances_; }
  BlobRecords& blobs() override { return blobs_; }
  IdentityRecords& identity() override { return identity_; }

 private:
  SqliteStore store_;
  SqliteExecutions executions_{store_};
  SqliteMeasures measures_{store_};
  SqliteHistory history_{store_};
  SqliteInstances instances_{store_};
  SqliteBlobs blobs_{store_};
  SqliteIdentity identity_{store_};
};

Result<void> refuse_network_file_system(const std::string& path) {
  auto kind = network_file_system(parent_path(path));
  if (!kind) return {};
  return fail(ErrorCode::invalid,
              path + " would lie on a network file system (" + *kind + "), which a database cannot rely on",
              "set PLZ_DATA_DIR to a directory on a local disk");
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite_database(const std::string& path, const SqliteLimits& limits) {
  PLZ_TRY(refuse_network_file_system(path));
  // Made here and not by SQLite: it holds secrets. SQLite gives its other files the same mode.
  PLZ_TRY(open_file(path, O_RDWR | O_CREAT, 0600));
  PLZ_ASSIGN(auto connection, Connection::open(path, Connection::Mode::read_write));
  PLZ_TRY(bring_up_to_date(*connection));
  return std::make_unique<SqliteDatabase>(path, std::move(connection), limits.wal_pages);
}

Result<DatabaseGlance> glance_at_sqlite_database(const std::string& path, std::chrono::milliseconds check_for) {
  PLZ_ASSIGN(auto connection, Connection::open(path, Connection::Mode::read_only));
  // The last one to close would else copy the log to the file and remove it.
  sqlite3_db_config(connection->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  PLZ_TRY(check_integrity(*connection, Thoroughness::quick, check_for));
  DatabaseGlance glance;
  PLZ_ASSIGN(int64_t tables,
             connection->query_number("SELECT count(*) FROM sqlite_schema WHERE name IN ('identity', 'openings')"));
  if (tables < 2) return glance;
  PLZ_ASSIGN(glance.identity, read_identity(*connection));
  PLZ_ASSIGN(Statement query, connection->prepare("SELECT token FROM openings ORDER BY number DESC"));
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return glance;
    glance.openings.push_back(query.column<Uuid>(0));
  }
}

}  // namespace plz
