#include "db/sqlite/statement.h"

#include <sqlite3.h>

#include <utility>

#include "db/sqlite/connection.h"

namespace plz {

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      owned_(other.owned_),
      bind_error_(other.bind_error_) {}

Statement::~Statement() {
  if (!statement_) return;
  if (owned_) {
    sqlite3_finalize(statement_);
    return;
  }
  // Large values must not stay with a cached statement, nor pointers to borrowed ones.
  reset();
  sqlite3_clear_bindings(statement_);
}

void Statement::reset() {
  sqlite3_reset(statement_);
  bind_error_ = SQLITE_OK;
}

Result<bool> Statement::step() {
  int rc = bind_error_ == SQLITE_OK ? sqlite3_step(statement_) : bind_error_;
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  Error error = connection_->error(rc);
  sqlite3_reset(statement_);
  return fail(std::move(error));
}

Result<void> Statement::run() {
  PLZ_ASSIGN(bool row, step());
  while (row) {
    PLZ_ASSIGN(row, step());
  }
  return {};
}

namespace {
void note(int& error, int rc) {
  if (error == SQLITE_OK) error = rc;
}
}  // namespace

void Statement::bind_value(int index, int64_t value) {
  note(bind_error_, sqlite3_bind_int64(statement_, index, value));
}
void Statement::bind_value(int index, double value) {
  note(bind_error_, sqlite3_bind_double(statement_, index, value));
}
void Statement::bind_value(int index, std::nullopt_t) { note(bind_error_, sqlite3_bind_null(statement_, index)); }

// A null pointer would bind NULL, hence the "" for empty views.
void Statement::bind_value(int index, std::string_view value) {
  note(bind_error_, sqlite3_bind_text64(statement_, index, value.empty() ? "" : value.data(), value.size(),
                                        SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Statement::bind_value(int index, BorrowedText value) {
  note(bind_error_, sqlite3_bind_text64(statement_, index, value.text.empty() ? "" : value.text.data(),
                                        value.text.size(), SQLITE_STATIC, SQLITE_UTF8));
}
void Statement::bind_value(int index, Bytes value) {
  note(bind_error_, sqlite3_bind_blob64(statement_, index, value.bytes.empty() ? "" : value.bytes.data(),
                                        value.bytes.size(), SQLITE_TRANSIENT));
}
void Statement::bind_value(int index, BorrowedBytes value) {
  note(bind_error_, sqlite3_bind_blob64(statement_, index, value.bytes.empty() ? "" : value.bytes.data(),
                                        value.bytes.size(), SQLITE_STATIC));
}
void Statement::bind_value(int index, const Uuid& value) {
  note(bind_error_, sqlite3_bind_blob(statement_, index, value.bytes().data(), static_cast<int>(value.bytes().size()),
                                      SQLITE_TRANSIENT));
}

bool Statement::is_null(int column) { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

void Statement::read_value(int column, int64_t& value) { value = sqlite3_column_int64(statement_, column); }
void Statement::read_value(int column, double& value) { value = sqlite3_column_double(statement_, column); }

void Statement::read_value(int column, std::string_view& value) {
  auto data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  value = data ? std::string_view(data, size) : std::string_view();
}

// A value of another size cannot come from here; it reads as no id.
void Statement::read_value(int column, Uuid& value) {
  auto bytes = this->column<std::string_view>(column);
  value = bytes.size() == sizeof(Uuid) ? Uuid::from_bytes(bytes.data()) : Uuid();
}
void Statement::read_value(int column, Digest& value) {
  auto bytes = this->column<std::string_view>(column);
  value = bytes.size() == Digest::kBytes ? Digest::from_bytes(bytes.data()) : Digest();
}

}  // namespace plz
