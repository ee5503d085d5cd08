// What every database must do. INSTANTIATE_TEST_SUITE_P it with a factory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "db/database.h"
#include "db/database_samples.h"

namespace plz {

struct DatabaseFactory {
  std::string name;
  std::function<std::unique_ptr<Database>(const std::string& directory)> make;
};

class DatabaseContract : public ::testing::TestWithParam<DatabaseFactory> {
 protected:
  DatabaseContract();
  ~DatabaseContract() override;

  ExecutionId create(const NewExecution& execution) { return *executions().create({execution}, ""); }
  // Puts it at the end of its life.
  void finish(ExecutionId id);
  std::vector<ExecutionId> list(const ExecutionFilter& filter, std::optional<ExecutionId> before = {}, size_t limit = 1000);
  std::vector<std::string> history(const HistoryQuery& query);
  std::vector<std::string> history_where(const std::string& where);
  std::vector<std::string> latest(AttemptId attempt, const std::string& prefix = "");
  Attempt attempt_of(ExecutionId id);

  ExecutionRecords& executions() { return database_->executions(); }
  MeasureRecords& measures() { return database_->measures(); }
  BlobRecords& blobs() { return database_->blobs(); }

  FakeClock clock_;
  std::string directory_;
  std::unique_ptr<Database> database_;
};

}  // namespace plz
