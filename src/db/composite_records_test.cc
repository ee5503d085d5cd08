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
  EXPECT_TRUE(executions().each_unfinished([&](const ExecutionRecord& record) {
    ids.push_back(record.execution.id);
    return true;
  }));
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

// As the controller stores them: what the parts have from the whole is stored once.
class SharingPartsTest : public DatabaseContract {
 protected:
  SharingPartsTest() {
    whole_ = sample_execution(clock_);
    whole_.execution.spec = full_spec(clock_);
    whole_.execution.spec.user = "ada";
    whole_.execution.spec.parent_id.reset();
    whole_.execution.spec.indices.reset();
    whole_.execution.spec.parallel_indices_range = IndexRange{3, 9};
    whole_.shell = {{{"HOME", "/home/ada"}}, {.niceness = 5}};
    for (int64_t from : {3, 5, 7}) whole_.parts.push_back({ExecutionId::make(clock_), IndexRange{from, from + 2}});
    EXPECT_EQ(*executions().create({whole_}, "key"), id());
  }

  ExecutionId id() const { return whole_.execution.id; }
  ExecutionId id(size_t part) const { return whole_.parts[part].id; }
  ExecutionRecord record(ExecutionId id) { return **executions().find(id); }
  Execution expected(size_t part) const {
    Execution execution = whole_.execution;
    execution.id = id(part);
    restrict_to_part(execution.spec, id(), whole_.parts[part].indices);
    return execution;
  }
  std::vector<Execution> parts(std::optional<int64_t> from_index = {}, size_t limit = 100) {
    std::vector<Execution> found;
    EXPECT_TRUE(executions().each_part(id(), from_index, [&](const ExecutionRecord& record) {
      found.push_back(record.execution);
      return found.size() < limit;
    }));
    return found;
  }
  void set_state(ExecutionId id, ExecutionState state) {
    ExecutionRecord stored = record(id);
    stored.execution.state = state;
    EXPECT_TRUE(*executions().save(stored.execution, stored.version, std::nullopt, "", Durability::relaxed));
  }

  NewExecution whole_;
  const Outcome outcome_{OutcomeKind::stopped, std::nullopt, std::nullopt, false, "stopped"};
};

TEST_P(SharingPartsTest, EachIsWholeWhereverItIsRead) {
  const std::vector<Execution> all{expected(0), expected(1), expected(2)};
  EXPECT_EQ(parts(), all);
  EXPECT_EQ(parts({}, 2), (std::vector{all[0], all[1]}));
  EXPECT_EQ(parts(5), (std::vector{all[1], all[2]}));
  EXPECT_EQ(parts(6), (std::vector{all[2]}));
  EXPECT_EQ(record(id(1)).execution, all[1]);
  EXPECT_EQ(record(id(1)).version, 0u);
  EXPECT_EQ(record(id()).execution, whole_.execution);
  EXPECT_EQ(list({.parent = id()}), (Ids{id(0), id(1), id(2)}));
  auto listed = *executions().list({}, {}, 10);
  ASSERT_EQ(listed.size(), 4u);
  EXPECT_EQ(listed[0].execution, all[2]);
  EXPECT_EQ(listed[3].execution, whole_.execution);
  const NewExecution other = sample_execution(clock_);
  create(other);
  std::vector<Execution> unfinished;
  EXPECT_TRUE(executions().each_unfinished([&](const ExecutionRecord& record) {
    unfinished.push_back(record.execution);
    return true;
  }));
  EXPECT_EQ(unfinished, (std::vector{all[0], all[1], all[2], other.execution}));
}

TEST_P(SharingPartsTest, ASecondWithOneOfTheIdsStoresNothing) {
  NewExecution again = sample_execution(clock_);
  again.parts = {{ExecutionId::make(clock_), {0, 1}}, {id(1), {1, 2}}};
  EXPECT_EQ(executions().create({again}, "").error().code, ErrorCode::conflict);
  EXPECT_FALSE(*executions().find(again.execution.id));
  EXPECT_FALSE(*executions().find(again.parts[0].id));
}

TEST_P(SharingPartsTest, TheSubmittingShellIsThatOfTheWhole) {
  EXPECT_EQ(*executions().submitting_shell(id(1)), whole_.shell);
  finish(id(0));
  EXPECT_TRUE(executions().submitting_shell(id(0))->empty());
  EXPECT_EQ(*executions().submitting_shell(id(1)), whole_.shell);
  for (ExecutionId each : {id(1), id(2), id()}) finish(each);
  for (ExecutionId each : {id(1), id(2), id()}) EXPECT_TRUE(executions().submitting_shell(each)->empty());
}

TEST_P(SharingPartsTest, StopEndsWhatIsQueuedAndMarksTheRest) {
  finish(id(0));
  const ExecutionRecord ended = record(id(0));
  set_state(id(1), ExecutionState::running);
  const Timestamp now = clock_.now();
  auto stopped = executions().stop_parts(id(), outcome_, now);
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->ended, Ids{id(2)});
  EXPECT_EQ(stopped->in_hand, Ids{id(1)});
  EXPECT_EQ(record(id(0)).execution, ended.execution);
  EXPECT_EQ(record(id(0)).version, ended.version);
  const ExecutionRecord marked = record(id(1)), queued = record(id(2));
  EXPECT_EQ(marked.execution.state, ExecutionState::running);
  EXPECT_TRUE(marked.execution.stop_requested);
  EXPECT_EQ(marked.version, 2u);
  Execution wanted = expected(2);
  wanted.state = ExecutionState::finished;
  wanted.stop_requested = true;
  wanted.outcome = outcome_;
  wanted.times.finished = now;
  EXPECT_EQ(queued.execution, wanted);
  EXPECT_EQ(queued.version, 1u);
  EXPECT_EQ(record(id()).execution, whole_.execution);
  // Who had read it before is told that it is another by now.
  EXPECT_FALSE(*executions().save(expected(2), 0, std::nullopt, "", Durability::relaxed));
  stopped = executions().stop_parts(id(), outcome_, now);
  EXPECT_EQ(stopped->ended, Ids{});
  EXPECT_EQ(stopped->in_hand, Ids{id(1)});
  EXPECT_EQ(record(id(1)).version, 2u);
}

TEST_P(SharingPartsTest, AreRemovedWithTheWhole) {
  ASSERT_TRUE(executions().stop_parts(id(), outcome_, clock_.now()));
  EXPECT_EQ(executions().remove(id()).error().code, ErrorCode::conflict);
  finish(id());
  ASSERT_TRUE(executions().remove(id()));
  EXPECT_EQ(list({}), Ids{});
  EXPECT_EQ(parts(), std::vector<Execution>{});
  EXPECT_EQ(*executions().create({whole_}, "key"), id());
}

// Rows of an older plz, which have a spec and a shell of their own, are stopped likewise.
TEST_P(CompositeRecordsTest, StopOfOlderPartsForgetsTheirShells) {
  auto all = composite();
  ASSERT_TRUE(executions().create(all, ""));
  const Outcome outcome{OutcomeKind::stopped, std::nullopt, std::nullopt, false, "stopped"};
  auto stopped = executions().stop_parts(all[0].execution.id, outcome, clock_.now());
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->ended.size(), 3u);
  for (size_t i : {1, 2, 3}) {
    EXPECT_TRUE(executions().submitting_shell(all[i].execution.id)->empty());
    EXPECT_EQ((*executions().find(all[i].execution.id))->execution.spec, all[i].execution.spec);
  }
  EXPECT_EQ(*executions().submitting_shell(all[0].execution.id), all[0].shell);
}

PLZ_FOR_ALL_DATABASES(CompositeRecordsTest);
PLZ_FOR_ALL_DATABASES(SharingPartsTest);

}  // namespace
}  // namespace plz
