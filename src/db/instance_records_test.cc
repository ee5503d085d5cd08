#include "db/database_contract.h"

namespace plz {
namespace {

class InstanceRecordsTest : public DatabaseContract {};

TEST_P(InstanceRecordsTest, StoresInstances) {
  Instance a = sample_instance(clock_), b = sample_instance(clock_);
  InstanceRecords& instances = database_->instances();
  b.state = InstanceState::gone;
  ASSERT_TRUE(instances.save(a, Durability::durable));
  ASSERT_TRUE(instances.save(b, Durability::relaxed));
  EXPECT_EQ(**instances.find(a.id), a);
  EXPECT_EQ(*instances.list(false), (Instances{a}));
  EXPECT_EQ(*instances.list(true), (Instances{a, b}));
  EXPECT_FALSE(*instances.find(InstanceId::make(clock_)));
  a.state = InstanceState::busy;
  a.idle_since.reset();
  Instance with_executions = a;
  with_executions.executions = {ExecutionId::make(clock_)};
  ASSERT_TRUE(instances.save(with_executions, Durability::relaxed));
  EXPECT_EQ(**instances.find(a.id), a);
}

PLZ_FOR_ALL_DATABASES(InstanceRecordsTest);

}  // namespace
}  // namespace plz
