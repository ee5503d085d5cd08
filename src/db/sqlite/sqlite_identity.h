#pragma once

#include "db/identity_records.h"
#include "db/sqlite/sqlite_store.h"

namespace plz {

Result<DatabaseIdentity> read_identity(Connection& connection);

class SqliteIdentity final : public IdentityRecords {
 public:
  explicit SqliteIdentity(SqliteStore& store) : store_(store) {}

  Result<DatabaseIdentity> read() override;
  Result<Uuid> open() override;
  Result<bool> was_opened(const Uuid& token) override;
  Result<void> settle() override;
  Result<void> look_through() override;

 private:
  SqliteStore& store_;
};

}  // namespace plz
