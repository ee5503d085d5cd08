#pragma once

#include "db/instance_records.h"
#include "db/sqlite/sqlite_store.h"

namespace plz {

class SqliteInstances final : public InstanceRecords {
 public:
  explicit SqliteInstances(SqliteStore& store) : store_(store) {}

  Result<void> save(const Instance& instance, Durability durability) override;
  Result<std::optional<Instance>> find(InstanceId id) override;
  Result<std::vector<Instance>> list(bool gone_too) override;

 private:
  SqliteStore& store_;
};

}  // namespace plz
