// One connection to an SQLite file, with its prepared statements, and SQLite's errors in words.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "db/sqlite/statement.h"

struct sqlite3;

namespace plz {

// Used by one thread at a time.
class Connection {
 public:
  enum class Mode { read_write, read_only };
  // The file must exist.
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Several statements, without parameters and rows.
  Result<void> execute(const std::string& sql);
  // Prepared once and kept. At most one of the same text may be in use at a time.
  Result<Statement> statement(const std::string& sql);
  // Prepared anew: for texts that are not likely to come again.
  Result<Statement> prepare(const std::string& sql);
  // The first column of the first row.
  Result<int64_t> query_number(const std::string& sql);

  int64_t last_row_number() const;
  int64_t changed_rows() const;  // by the last statement
  // False also after SQLite gave a transaction up by itself, as it does when the disk is full.
  bool in_transaction() const;
  // What a failed call means. Full disk and I/O errors are unavailable, and name the file.
  Error error(int result_code) const;

  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }

 private:
  Connection(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  Result<sqlite3_stmt*> compile(const std::string& sql, unsigned flags);

  sqlite3* handle_;
  std::string path_;
  std::unordered_map<std::string, sqlite3_stmt*> cache_;
};

}  // namespace plz
