// The fixture of *_records_test.cc and history_test.cc, which say what every database must do: each
// test runs with each of them.
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

// For the expected side of EXPECT_EQ.
using Ids = std::vector<ExecutionId>;
using Texts = std::vector<std::string>;
using Attempts = std::vector<Attempt>;
using Instances = std::vector<Instance>;
using Events = std::vector<MeasureEvent>;
using Found = std::vector<std::optional<BlobRecord>>;
using Packs = std::vector<Uuid>;

class DatabaseContract : public ::testing::TestWithParam<DatabaseFactory> {
 protected:
  DatabaseContract();
  ~DatabaseContract() override;

  ExecutionId create(const NewExecution& execution) { return *executions().create({execution}, ""); }
  // Puts it at the end of its life.
  void finish(ExecutionId id);
  Ids list(const ExecutionFilter& filter, std::optional<ExecutionId> before = {}, size_t limit = 1000);
  Texts history(const HistoryQuery& query);
  Texts history_where(const std::string& where);
  Texts latest(AttemptId attempt, const std::string& prefix = "");
  Attempt attempt_of(ExecutionId id);

  ExecutionRecords& executions() { return database_->executions(); }
  MeasureRecords& measures() { return database_->measures(); }
  BlobRecords& blobs() { return database_->blobs(); }

  FakeClock clock_;
  std::string directory_;
  std::unique_ptr<Database> database_;
};

std::vector<DatabaseFactory> all_databases();

#define PLZ_FOR_ALL_DATABASES(suite)                                         \
  INSTANTIATE_TEST_SUITE_P(All, suite, ::testing::ValuesIn(all_databases()), \
                           [](const auto& info) { return info.param.name; })

}  // namespace plz
