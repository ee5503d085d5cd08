#pragma once

#include "db/history.h"
#include "db/sqlite/sqlite_store.h"

namespace plz {

class SqliteHistory final : public History {
 public:
  explicit SqliteHistory(SqliteStore& store) : store_(store) {}
  Result<std::unique_ptr<HistoryCursor>> open(const HistoryQuery& query) override;

 private:
  SqliteStore& store_;
};

}  // namespace plz
