#include "db/database_contract.h"

namespace plz {
namespace {

class CompositeRecordsTest : public DatabaseContract {
 protected:
  // The composite, then parts whose indices come in another order than their ids.
  std::vector<NewExecution> composite() {
    std::vector<NewExecution> all{sample_execution(clock_)};
    all[0].execution.spec.parallel_indices_range = IndexRange{0, 3};
    for (int64_t from : {1, 0, 2}) {
      NewExecution part = sample_execution(clock_);
      part.execution.spec.parent_id = all[0].execution.id;
      part.execution.spec.indices = IndexRange{from, from + 1};
      all.push_back(part);
    }
    for (auto& each : all) each.shell = {{{"HOME", "/home/ada"}}, {.niceness = 5}};
    return all;
  }
};

TEST_P(CompositeRecordsTest, PartsAreListedByTheirIndices) {
  auto all = composite();
  auto id = [&](size_t i) { return all[i].execution.id; };
  EXPECT_EQ(*executions().create(all, ""), id(0));
  EXPECT_EQ(list({.parent = id(0)}), (Ids{id(2), id(1), id(3)}));
  EXPECT_EQ(list({.parent = id(0)}, {}, 2), (Ids{id(2), id(1)}));
  EXPECT_EQ(list({.top_level_only = true}), (Ids{id(0)}));
  EXPECT_EQ(list({.user = "ada", .top_level_only = true}), (Ids{id(0)}));
  EXPECT_EQ(list({.user = "ada"}), (Ids{id(3), id(2), id(1), id(0)}));
  finish(id(2));
  EXPECT_EQ(list({.parent = id(0), .unfinished_only = true}), (Ids{id(1), id(3)}));
  EXPECT_EQ(history({}), std::vector{all[0].document});
  EXPECT_EQ(history({.user = "ada"}), std::vector{all[0].document});
}

TEST_P(CompositeRecordsTest, UnfinishedArePartsAndSimpleOnesOldestFirst) {
  auto all = composite();
  ASSERT_TRUE(executions().create(all, ""));
  ExecutionId simple = create(sample_execution(clock_));
  finish(all[2].execution.id);
  std::vector<ExecutionId> ids;
  auto records = executions().unfinished();
  for (const auto& record : *records) ids.push_back(record.execution.id);
  EXPECT_EQ(ids, (Ids{all[1].execution.id, all[3].execution.id, simple}));
}

TEST_P(CompositeRecordsTest, SubmittingShellsGoWhenTheirExecutionFinishes) {
  auto all = composite();
  all[3].shell.attributes.niceness = 6;
  ASSERT_TRUE(executions().create(all, ""));
  finish(all[0].execution.id);
  EXPECT_EQ(*executions().submitting_shell(all[0].execution.id), (SubmittingShell{}));
  EXPECT_EQ(*executions().submitting_shell(all[1].execution.id), all[1].shell);
  finish(all[1].execution.id);
  EXPECT_EQ(*executions().submitting_shell(all[2].execution.id), all[2].shell);
  EXPECT_EQ(*executions().submitting_shell(all[3].execution.id), all[3].shell);
  finish(all[2].execution.id);
  finish(all[3].execution.id);
  for (const auto& each : all) EXPECT_EQ(*executions().submitting_shell(each.execution.id), (SubmittingShell{}));
  EXPECT_EQ(*executions().submitting_shell(ExecutionId::make(clock_)), (SubmittingShell{}));
}

TEST_P(CompositeRecordsTest, RemovesACompositeWithItsParts) {
  auto all = composite();
  ASSERT_TRUE(executions().create(all, "key"));
  Attempt attempt = attempt_of(all[1].execution.id);
  ASSERT_TRUE(measures().append(attempt.execution_id, attempt.id, {sample_event(1, "a", "1")}));
  for (size_t i : {0, 1, 2}) finish(all[i].execution.id);
  EXPECT_EQ(executions().remove(all[0].execution.id).error().code, ErrorCode::conflict);
  EXPECT_TRUE(*executions().find(all[0].execution.id));
  finish(all[3].execution.id);
  ExecutionId other = create(sample_execution(clock_));
  ASSERT_TRUE(executions().remove(all[0].execution.id));
  EXPECT_EQ(list({}), (Ids{other}));
  EXPECT_FALSE(*executions().find_attempt(attempt.id));
  EXPECT_EQ(latest(attempt.id), (Texts{}));
  EXPECT_EQ(*measures().last_sequence(attempt.id), 0u);
  EXPECT_EQ(history({}).size(), 1u);
  EXPECT_EQ(executions().remove(all[0].execution.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(*executions().create(all, "key"), all[0].execution.id);
}

PLZ_FOR_ALL_DATABASES(CompositeRecordsTest);

}  // namespace
}  // namespace plz
