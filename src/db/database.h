// All records behind one door. sqlite/sqlite_database.h and memory/memory_database.h make them.
#pragma once

#include "db/blob_records.h"
#include "db/execution_records.h"
#include "db/history.h"
#include "db/identity_records.h"
#include "db/instance_records.h"
#include "db/measure_records.h"

namespace plz {

class Database {
 public:
  virtual ~Database() = default;
  virtual ExecutionRecords& executions() = 0;
  virtual MeasureRecords& measures() = 0;
  virtual History& history() = 0;
  virtual InstanceRecords& instances() = 0;
  virtual BlobRecords& blobs() = 0;
  virtual IdentityRecords& identity() = 0;
};

}  // namespace plz
