#include "db/fault_injecting_database.h"

#include <gtest/gtest.h>

#include "db/database_samples.h"
#include "db/memory/memory_database.h"

namespace plz {
namespace {

class FaultInjectingDatabaseTest : public ::testing::Test {
 protected:
  ExecutionId create() { return *real_->executions().create({sample_execution(clock_)}, ""); }

  FakeClock clock_;
  std::unique_ptr<Database> real_ = make_memory_database();
  FaultInjectingDatabase database_{*real_};
  const Error error_{ErrorCode::unavailable, "the disk is full", ""};
};

TEST_F(FaultInjectingDatabaseTest, FailsTheNthCallOfAnyKind) {
  ExecutionId id = create();
  database_.fail_call(3, error_);
  EXPECT_TRUE(*database_.executions().find(id));
  EXPECT_TRUE(database_.instances().list(true));
  auto failed = database_.blobs().totals();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, error_.message);
  EXPECT_TRUE(database_.blobs().totals());
  EXPECT_EQ(database_.calls(), 4u);
}

TEST_F(FaultInjectingDatabaseTest, BeforeHasNoEffectAndAfterHas) {
  NewExecution a = sample_execution(clock_), b = sample_execution(clock_);
  database_.fail_call(1, error_);
  EXPECT_FALSE(database_.executions().create({a}, ""));
  EXPECT_FALSE(*real_->executions().find(a.execution.id));
  database_.fail_call(1, error_, FaultInjectingDatabase::When::after);
  EXPECT_FALSE(database_.executions().create({b}, ""));
  EXPECT_TRUE(*real_->executions().find(b.execution.id));
}

TEST_F(FaultInjectingDatabaseTest, CursorsFailWhileTheyStream) {
  create();
  create();
  auto cursor = *database_.history().open({});
  database_.fail_call(2, error_);
  EXPECT_TRUE(cursor->next());
  EXPECT_FALSE(cursor->next());
  EXPECT_TRUE(cursor->next());
}

TEST_F(FaultInjectingDatabaseTest, FailsUntilHealed) {
  database_.fail_all(error_);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(database_.executions().each_unfinished([](const auto&) { return true; }));
  database_.heal();
  EXPECT_TRUE(database_.executions().each_unfinished([](const auto&) { return true; }));
}

}  // namespace
}  // namespace plz
