// A database in front of another one, some of whose calls fail: to test what its users do then.
#pragma once

#include <memory>

#include "db/database.h"

namespace plz {

// Thread-safe. The steps of history's cursors are calls too.
class FaultInjectingDatabase final : public Database {
 public:
  // `real` must outlive it.
  explicit FaultInjectingDatabase(Database& real);
  ~FaultInjectingDatabase() override;

  // `after`: the call has its effect, and its caller does not learn so.
  enum class When { before, after };
  // The n-th call from now on fails, 1 being the next. A later plan replaces an earlier one.
  void fail_call(uint64_t nth, Error error, When when = When::before);
  // All calls fail, from the next on.
  void fail_all(Error error);
  void heal();
  uint64_t calls() const;

  ExecutionRecords& executions() override;
  MeasureRecords& measures() override;
  History& history() override;
  InstanceRecords& instances() override;
  BlobRecords& blobs() override;
  IdentityRecords& identity() override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace plz
