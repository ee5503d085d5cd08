#include "db/database_contract.h"

#include <atomic>
#include <thread>

namespace plz {
namespace {

class ExecutionRecordsTest : public DatabaseContract {};

TEST_P(ExecutionRecordsTest, StoresExecutionsWhole) {
  NewExecution created = sample_execution(clock_);
  created.execution.spec = full_spec(clock_);
  ExecutionId id = create(created);
  auto record = *executions().find(id);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->execution, created.execution);
  EXPECT_EQ(record->version, 0u);
  Execution finished = finished_execution(created.execution, clock_);
  EXPECT_TRUE(*executions().save(finished, 0, std::nullopt, "", Durability::durable));
  record = *executions().find(id);
  EXPECT_EQ(record->execution, finished);
  EXPECT_EQ(record->version, 1u);
  EXPECT_FALSE(*executions().find(ExecutionId::make(clock_)));
}

TEST_P(ExecutionRecordsTest, CreatesAllOrNone) {
  NewExecution a = sample_execution(clock_), b = sample_execution(clock_);
  ASSERT_TRUE(executions().create({a}, ""));
  auto again = executions().create({b, a}, "key");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_FALSE(*executions().find(b.execution.id));
  EXPECT_EQ(*executions().create({b}, "key"), b.execution.id);
  EXPECT_FALSE(executions().create({}, "").has_value());
  EXPECT_FALSE(executions().create({NewExecution{}}, "").has_value());
}

TEST_P(ExecutionRecordsTest, AnIdempotencyKeyStartsNothingTwice) {
  NewExecution first = sample_execution(clock_), retry = sample_execution(clock_);
  NewExecution other_user = sample_execution(clock_, "bob");
  EXPECT_EQ(*executions().create({first}, "k"), first.execution.id);
  EXPECT_EQ(*executions().create({retry}, "k"), first.execution.id);
  EXPECT_FALSE(*executions().find(retry.execution.id));
  EXPECT_EQ(*executions().create({other_user}, "k"), other_user.execution.id);
  EXPECT_EQ(*executions().create({retry}, "k2"), retry.execution.id);
}

TEST_P(ExecutionRecordsTest, AKeyStandsForOneRequest) {
  NewExecution first = sample_execution(clock_), second = sample_execution(clock_);
  const Digest request = sample_digest(1), other = sample_digest(2);
  EXPECT_EQ(*executions().create({first}, {"k", request}), first.execution.id);
  EXPECT_EQ(*executions().create({second}, {"k", request}), first.execution.id);
  EXPECT_EQ(*executions().create({second}, "k"), first.execution.id);
  auto refused = executions().create({second}, {"k", other});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_NE(refused.error().message.find(first.execution.id.to_string()), std::string::npos);
  EXPECT_FALSE(*executions().find(second.execution.id));
  // As an older plz stored it: it stands for any.
  EXPECT_EQ(*executions().create({second}, "old"), second.execution.id);
  EXPECT_EQ(*executions().create({first}, {"old", other}), second.execution.id);
}

TEST_P(ExecutionRecordsTest, SaveComparesVersions) {
  NewExecution created = sample_execution(clock_);
  create(created);
  Execution execution = created.execution;
  execution.state = ExecutionState::starting;
  EXPECT_TRUE(*executions().save(execution, 0, std::nullopt, "", Durability::relaxed));
  execution.state = ExecutionState::running;
  EXPECT_FALSE(*executions().save(execution, 0, std::nullopt, "", Durability::relaxed));
  EXPECT_EQ((*executions().find(execution.id))->execution.state, ExecutionState::starting);
  EXPECT_TRUE(*executions().save(execution, 1, std::nullopt, "", Durability::relaxed));
  execution.id = ExecutionId::make(clock_);
  EXPECT_EQ(executions().save(execution, 0, std::nullopt, "", Durability::relaxed).error().code, ErrorCode::not_found);
}

TEST_P(ExecutionRecordsTest, SaveLeavesTheSpecAlone) {
  NewExecution created = sample_execution(clock_);
  create(created);
  Execution other = created.execution;
  other.spec.user = "mallory";
  other.spec.command = {"false"};
  EXPECT_TRUE(*executions().save(other, 0, std::nullopt, "", Durability::relaxed));
  EXPECT_EQ((*executions().find(other.id))->execution.spec, created.execution.spec);
}

TEST_P(ExecutionRecordsTest, AFinishedExecutionOnlyChangesItsDocument) {
  ExecutionId id = create(sample_execution(clock_));
  finish(id);
  Execution finished = (*executions().find(id))->execution;
  EXPECT_TRUE(*executions().save(finished, 1, std::nullopt, R"({"x":1})", Durability::relaxed));
  EXPECT_EQ(history({}), (Texts{R"({"x":1})"}));
  Execution changed = finished;
  changed.outcome->reason = "another";
  auto result = executions().save(changed, 2, std::nullopt, "{}", Durability::relaxed);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::conflict);
  EXPECT_EQ((*executions().find(id))->execution, finished);
  EXPECT_EQ(history({}), (Texts{R"({"x":1})"}));
}

TEST_P(ExecutionRecordsTest, ListsNewestFirstByFilter) {
  ExecutionId a = create(sample_execution(clock_)), b = create(sample_execution(clock_, "ada", "words"));
  ExecutionId c = create(sample_execution(clock_, "bob")), d = create(sample_execution(clock_));
  finish(b);
  EXPECT_EQ(list({}), (Ids{d, c, b, a}));
  EXPECT_EQ(list({.user = "ada"}), (Ids{d, b, a}));
  EXPECT_EQ(list({.user = "ada", .project = "digits"}), (Ids{d, a}));
  EXPECT_EQ(list({.project = "digits"}), (Ids{d, c, a}));
  EXPECT_EQ(list({.unfinished_only = true}), (Ids{d, c, a}));
  EXPECT_EQ(list({.user = "ada", .unfinished_only = true}), (Ids{d, a}));
  EXPECT_EQ(list({}, {}, 2), (Ids{d, c}));
  EXPECT_EQ(list({}, c, 1), (Ids{b}));
  EXPECT_EQ(list({.user = "nobody"}), (Ids{}));
  EXPECT_EQ(list({}, {}, 0), (Ids{}));
  InstanceId instance = *(*executions().find(b))->execution.instance_id;
  EXPECT_EQ(list({.instance = instance}), (Ids{b}));
  EXPECT_EQ(list({.instance = instance, .unfinished_only = true}), (Ids{}));
}

TEST_P(ExecutionRecordsTest, StoresAttempts) {
  NewExecution created = sample_execution(clock_);
  create(created);
  Attempt second = sample_attempt(clock_, created.execution, 2), first = sample_attempt(clock_, created.execution, 1);
  EXPECT_TRUE(*executions().save(created.execution, 0, second, "", Durability::relaxed));
  EXPECT_TRUE(*executions().save(created.execution, 1, first, "", Durability::relaxed));
  first.ended = clock_.now();
  first.log_bytes = 1ull << 40;
  first.log_complete = true;
  EXPECT_TRUE(*executions().save(created.execution, 2, first, "", Durability::relaxed));
  EXPECT_EQ(**executions().find_attempt(first.id), first);
  EXPECT_EQ(*executions().attempts(created.execution.id), (Attempts{first, second}));
  EXPECT_FALSE(*executions().find_attempt(AttemptId::make(clock_)));
  Attempt strange = first;
  strange.execution_id = ExecutionId::make(clock_);
  EXPECT_EQ(executions().save(created.execution, 3, strange, "", Durability::relaxed).error().code, ErrorCode::invalid);
  EXPECT_EQ((*executions().find(created.execution.id))->version, 3u);
}

// Several threads at once: every write is there, none twice, and versions let one of them win.
TEST_P(ExecutionRecordsTest, ThreadsMeet) {
  ExecutionId contested = create(sample_execution(clock_));
  std::atomic<int> won = 0, created = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        created += executions().create({sample_execution(clock_)}, "").has_value();
        auto record = *executions().find(contested);
        auto saved = executions().save(record->execution, record->version, std::nullopt, "", Durability::relaxed);
        won += saved && *saved;
        (void)history({.limit = 3});
      }
    });
  threads.clear();
  EXPECT_EQ(created, 100);
  EXPECT_EQ(list({}).size(), 101u);
  EXPECT_EQ((*executions().find(contested))->version, static_cast<uint64_t>(won));
}

PLZ_FOR_ALL_DATABASES(ExecutionRecordsTest);

}  // namespace
}  // namespace plz
