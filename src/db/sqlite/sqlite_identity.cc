#include "db/sqlite/sqlite_identity.h"

#include "db/sqlite/integrity.h"

namespace plz {
namespace {

// Only the last one is ever asked for, but for a machine that lost power in between.
constexpr int kOpeningsKept = 1000;

}  // namespace

Result<DatabaseIdentity> read_identity(Connection& connection) {
  PLZ_ASSIGN(Statement query, connection.statement("SELECT id, settled, older FROM identity"));
  PLZ_ASSIGN(bool row, query.step());
  if (!row) return fail(ErrorCode::damaged, "the database has no id");
  DatabaseIdentity identity;
  query.read(identity.id, identity.settled, identity.older);
  return identity;
}

Result<DatabaseIdentity> SqliteIdentity::read() {
  PLZ_ASSIGN(auto reader, store_.reader());
  return read_identity(*reader);
}

Result<Uuid> SqliteIdentity::open() {
  Uuid token;
  PLZ_TRY(store_.write(Durability::durable, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(Statement add,
               connection.statement("INSERT INTO openings (token) VALUES (randomblob(16)) RETURNING token"));
    PLZ_TRY(add.step());
    token = add.column<Uuid>(0);
    PLZ_TRY(add.run());
    PLZ_ASSIGN(Statement forget,
               connection.statement("DELETE FROM openings WHERE number <= (SELECT max(number) FROM openings) - ?"));
    forget.bind(kOpeningsKept);
    return forget.run();
  }));
  return token;
}

Result<bool> SqliteIdentity::was_opened(const Uuid& token) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement("SELECT 1 FROM openings WHERE token = ?"));
  query.bind(token);
  return query.step();
}

Result<void> SqliteIdentity::settle() {
  return store_.write(Durability::relaxed, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(Statement settle, connection.statement("UPDATE identity SET settled = 1"));
    return settle.run();
  });
}

Result<void> SqliteIdentity::look_through() {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_TRY(check_integrity(*reader, Thoroughness::full, std::nullopt));
  return {};
}

}  // namespace plz
