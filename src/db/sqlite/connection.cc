#include "db/sqlite/connection.h"

#include <sqlite3.h>

#include <cstring>

namespace plz {
namespace {

constexpr int kBusyTimeoutMilliseconds = 5000;
// Pages of 4 KiB in about 1 MiB a connection; the kernel's cache holds the rest.
constexpr const char* kSettings =
    "PRAGMA cache_size = -1024; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = FAST;"
    "PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF;";

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Mode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  sqlite3* handle = nullptr;
  int rc = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(handle, path));
  if (rc != SQLITE_OK) return fail(connection->error(rc));
  sqlite3_busy_timeout(handle, kBusyTimeoutMilliseconds);
  PLZ_TRY(connection->execute(kSettings));
  return connection;
}

Connection::~Connection() {
  for (auto& [sql, statement] : cache_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Result<void> Connection::execute(const std::string& sql) {
  int rc = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return fail(error(rc));
  return {};
}

Result<sqlite3_stmt*> Connection::compile(const std::string& sql, unsigned flags) {
  sqlite3_stmt* statement = nullptr;
  int rc = sqlite3_prepare_v3(handle_, sql.c_str(), static_cast<int>(sql.size() + 1), flags, &statement, nullptr);
  if (rc != SQLITE_OK) return fail(error(rc));
  return statement;
}

Result<Statement> Connection::statement(const std::string& sql) {
  auto it = cache_.find(sql);
  if (it == cache_.end()) {
    PLZ_ASSIGN(sqlite3_stmt * compiled, compile(sql, SQLITE_PREPARE_PERSISTENT));
    it = cache_.emplace(sql, compiled).first;
  }
  return Statement(*this, it->second, false);
}

Result<Statement> Connection::prepare(const std::string& sql) {
  PLZ_ASSIGN(sqlite3_stmt * compiled, compile(sql, 0));
  return Statement(*this, compiled, true);
}

Result<int64_t> Connection::query_number(const std::string& sql) {
  PLZ_ASSIGN(Statement query, prepare(sql));
  PLZ_TRY(query.step());
  return query.column<int64_t>(0);
}

int64_t Connection::last_row_number() const { return sqlite3_last_insert_rowid(handle_); }
int64_t Connection::changed_rows() const { return sqlite3_changes64(handle_); }
bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Error Connection::error(int result_code) const {
  std::string detail = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(result_code);
  // The system's own words, where there are some: "No space left on device".
  if (int number = handle_ ? sqlite3_system_errno(handle_) : 0; number != 0 && (result_code & 0xff) == SQLITE_IOERR)
    detail += std::string(": ") + strerror(number);
  auto as = [&](ErrorCode code, const std::string& what, std::string hint) {
    return Error{code, what, std::move(hint)};
  };
  switch (result_code & 0xff) {
    case SQLITE_FULL:
      return as(ErrorCode::unavailable, "the disk is full: cannot write to the database " + path_,
                "make room on its file system; nothing that was stored is lost");
    case SQLITE_IOERR:
      return as(ErrorCode::unavailable, "cannot read or write the database " + path_ + ": " + detail,
                "see whether the disk is full or failing (dmesg); nothing that was stored is lost");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return as(ErrorCode::unavailable, "the database " + path_ + " is in use by another process",
                "end the other plz-controller of this data directory");
    case SQLITE_CANTOPEN:
      return as(ErrorCode::unavailable, "cannot open the database " + path_ + ": " + detail,
                "see whether its directory exists, is yours, and has room");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return as(ErrorCode::invalid, "the database " + path_ + " may not be written: " + detail,
                "see the permissions of the file and of its directory");
    case SQLITE_NOTADB:
      return as(ErrorCode::damaged, path_ + " is not a database, or its beginning is damaged",
                "put back a copy of it, or use another PLZ_DATA_DIR");
    case SQLITE_CORRUPT:
      return as(ErrorCode::damaged, "the database " + path_ + " is damaged: " + detail,
                "put back a copy of it; `sqlite3 FILE .recover` saves what is readable");
    case SQLITE_NOMEM: return as(ErrorCode::unavailable, "out of memory while using the database " + path_, "");
    case SQLITE_CONSTRAINT:
      return as(ErrorCode::conflict, "the database has this already, or does not take it: " + detail, "");
    case SQLITE_TOOBIG: return as(ErrorCode::invalid, "a value is too large for the database (the limit is 1 GB)", "");
    default: return as(ErrorCode::internal, "database " + path_ + ": " + detail, "");
  }
}

}  // namespace plz
