#include "db/database_contract_test.h"

#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>

#include "db/memory/memory_database.h"
#include "db/sqlite/sqlite_database.h"
#include "os/file.h"

namespace plz {



using ::testing::ElementsAre;
using ::testing::IsEmpty;

DatabaseContract::DatabaseContract() {
  char name[] = "/tmp/plz_db_test_XXXXXX";
  directory_ = mkdtemp(name);
  database_ = GetParam().make(directory_);
}

DatabaseContract::~DatabaseContract() {
  database_.reset();
  (void)remove_tree(directory_);
}

void DatabaseContract::finish(ExecutionId id) {
  auto record = *executions().find(id);
  Execution finished = finished_execution(record->execution, clock_);
  ASSERT_TRUE(*executions().save(finished, record->version, std::nullopt, "", Durability::relaxed));
}

std::vector<ExecutionId> DatabaseContract::list(const ExecutionFilter& filter, std::optional<ExecutionId> before,
                                                size_t limit) {
  std::vector<ExecutionId> ids;
  auto records = executions().list(filter, before, limit);
  for (const auto& record : *records) ids.push_back(record.execution.id);
  return ids;
}

std::vector<std::string> DatabaseContract::history(const HistoryQuery& query) {
  std::vector<std::string> documents;
  auto cursor = database_->history().open(query);
  auto next = [&] { return cursor ? (*cursor)->next() : fail(cursor.error()); };
  auto row = next();
  for (; row && *row; row = next()) documents.emplace_back((*row)->document);
  EXPECT_TRUE(row) << row.error().message;
  return documents;
}

std::vector<std::string> DatabaseContract::history_where(const std::string& where) {
  HistoryQuery query;
  query.where = parse_where(where).value();
  return history(query);
}

std::vector<std::string> DatabaseContract::latest(AttemptId attempt, const std::string& prefix) {
  std::vector<std::string> found;
  auto result = measures().latest(attempt, prefix, [&](const MeasureEvent& event) {
    found.push_back((event.index ? std::to_string(*event.index) + "#" : "") + event.path + "=" + event.value.text);
    return true;
  });
  EXPECT_TRUE(result);
  return found;
}

Attempt DatabaseContract::attempt_of(ExecutionId id) {
  auto record = *executions().find(id);
  Attempt attempt = sample_attempt(clock_, record->execution);
  EXPECT_TRUE(*executions().save(record->execution, record->version, attempt, "", Durability::relaxed));
  return attempt;
}

namespace {

TEST_P(DatabaseContract, StoresExecutionsWhole) {
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

TEST_P(DatabaseContract, CreatesAllOrNone) {
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

TEST_P(DatabaseContract, AnIdempotencyKeyStartsNothingTwice) {
  NewExecution first = sample_execution(clock_), retry = sample_execution(clock_);
  NewExecution other_user = sample_execution(clock_, "bob");
  EXPECT_EQ(*executions().create({first}, "k"), first.execution.id);
  EXPECT_EQ(*executions().create({retry}, "k"), first.execution.id);
  EXPECT_FALSE(*executions().find(retry.execution.id));
  EXPECT_EQ(*executions().create({other_user}, "k"), other_user.execution.id);
  EXPECT_EQ(*executions().create({retry}, "k2"), retry.execution.id);
}

TEST_P(DatabaseContract, SaveComparesVersions) {
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

TEST_P(DatabaseContract, SaveLeavesTheSpecAlone) {
  NewExecution created = sample_execution(clock_);
  create(created);
  Execution other = created.execution;
  other.spec.user = "mallory";
  other.spec.command = {"false"};
  EXPECT_TRUE(*executions().save(other, 0, std::nullopt, "", Durability::relaxed));
  EXPECT_EQ((*executions().find(other.id))->execution.spec, created.execution.spec);
}

TEST_P(DatabaseContract, AFinishedExecutionOnlyChangesItsDocument) {
  ExecutionId id = create(sample_execution(clock_));
  finish(id);
  Execution finished = (*executions().find(id))->execution;
  EXPECT_TRUE(*executions().save(finished, 1, std::nullopt, R"({"x":1})", Durability::relaxed));
  EXPECT_THAT(history({}), ElementsAre(R"({"x":1})"));
  Execution changed = finished;
  changed.outcome->reason = "another";
  auto result = executions().save(changed, 2, std::nullopt, "{}", Durability::relaxed);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::conflict);
  EXPECT_EQ((*executions().find(id))->execution, finished);
  EXPECT_THAT(history({}), ElementsAre(R"({"x":1})"));
}

TEST_P(DatabaseContract, ListsNewestFirstByFilter) {
  ExecutionId a = create(sample_execution(clock_)), b = create(sample_execution(clock_, "ada", "words"));
  ExecutionId c = create(sample_execution(clock_, "bob")), d = create(sample_execution(clock_));
  finish(b);
  EXPECT_THAT(list({}), ElementsAre(d, c, b, a));
  EXPECT_THAT(list({.user = "ada"}), ElementsAre(d, b, a));
  EXPECT_THAT(list({.user = "ada", .project = "digits"}), ElementsAre(d, a));
  EXPECT_THAT(list({.project = "digits"}), ElementsAre(d, c, a));
  EXPECT_THAT(list({.unfinished_only = true}), ElementsAre(d, c, a));
  EXPECT_THAT(list({.user = "ada", .unfinished_only = true}), ElementsAre(d, a));
  EXPECT_THAT(list({}, {}, 2), ElementsAre(d, c));
  EXPECT_THAT(list({}, c, 1), ElementsAre(b));
  EXPECT_THAT(list({.user = "nobody"}), IsEmpty());
  EXPECT_THAT(list({}, {}, 0), IsEmpty());
  InstanceId instance = *(*executions().find(b))->execution.instance_id;
  EXPECT_THAT(list({.instance = instance}), ElementsAre(b));
  EXPECT_THAT(list({.instance = instance, .unfinished_only = true}), IsEmpty());
}

class CompositeContract : public DatabaseContract {
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
    for (auto& each : all) each.shell_environment = {{"HOME", "/home/ada"}};
    return all;
  }
};

TEST_P(CompositeContract, PartsAreListedByTheirIndices) {
  auto all = composite();
  auto id = [&](size_t i) { return all[i].execution.id; };
  EXPECT_EQ(*executions().create(all, ""), id(0));
  EXPECT_THAT(list({.parent = id(0)}), ElementsAre(id(2), id(1), id(3)));
  EXPECT_THAT(list({.parent = id(0)}, {}, 2), ElementsAre(id(2), id(1)));
  EXPECT_THAT(list({.top_level_only = true}), ElementsAre(id(0)));
  EXPECT_THAT(list({.user = "ada", .top_level_only = true}), ElementsAre(id(0)));
  EXPECT_THAT(list({.user = "ada"}), ElementsAre(id(3), id(2), id(1), id(0)));
  finish(id(2));
  EXPECT_THAT(list({.parent = id(0), .unfinished_only = true}), ElementsAre(id(1), id(3)));
  EXPECT_EQ(history({}), std::vector{all[0].document});
  EXPECT_EQ(history({.user = "ada"}), std::vector{all[0].document});
}

TEST_P(CompositeContract, UnfinishedArePartsAndSimpleOnesOldestFirst) {
  auto all = composite();
  ASSERT_TRUE(executions().create(all, ""));
  ExecutionId simple = create(sample_execution(clock_));
  finish(all[2].execution.id);
  std::vector<ExecutionId> ids;
  auto records = executions().unfinished();
  for (const auto& record : *records) ids.push_back(record.execution.id);
  EXPECT_THAT(ids, ElementsAre(all[1].execution.id, all[3].execution.id, simple));
}

TEST_P(CompositeContract, ShellEnvironmentsGoWhenTheirExecutionFinishes) {
  auto all = composite();
  all[3].shell_environment = {{"OTHER", "\xff"}};
  ASSERT_TRUE(executions().create(all, ""));
  finish(all[0].execution.id);
  EXPECT_THAT(*executions().shell_environment(all[0].execution.id), IsEmpty());
  EXPECT_EQ(*executions().shell_environment(all[1].execution.id), all[1].shell_environment);
  finish(all[1].execution.id);
  EXPECT_EQ(*executions().shell_environment(all[2].execution.id), all[2].shell_environment);
  EXPECT_EQ(*executions().shell_environment(all[3].execution.id), all[3].shell_environment);
  finish(all[2].execution.id);
  finish(all[3].execution.id);
  for (const auto& each : all) EXPECT_THAT(*executions().shell_environment(each.execution.id), IsEmpty());
  EXPECT_THAT(*executions().shell_environment(ExecutionId::make(clock_)), IsEmpty());
}

TEST_P(CompositeContract, RemovesACompositeWithItsParts) {
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
  EXPECT_THAT(list({}), ElementsAre(other));
  EXPECT_FALSE(*executions().find_attempt(attempt.id));
  EXPECT_THAT(latest(attempt.id), IsEmpty());
  EXPECT_EQ(*measures().last_sequence(attempt.id), 0u);
  EXPECT_EQ(history({}).size(), 1u);
  EXPECT_EQ(executions().remove(all[0].execution.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(*executions().create(all, "key"), all[0].execution.id);
}

TEST_P(DatabaseContract, StoresAttempts) {
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
  EXPECT_THAT(*executions().attempts(created.execution.id), ElementsAre(first, second));
  EXPECT_FALSE(*executions().find_attempt(AttemptId::make(clock_)));
  Attempt strange = first;
  strange.execution_id = ExecutionId::make(clock_);
  EXPECT_EQ(executions().save(created.execution, 3, strange, "", Durability::relaxed).error().code, ErrorCode::invalid);
  EXPECT_EQ((*executions().find(created.execution.id))->version, 3u);
}

TEST_P(DatabaseContract, HistoryStreamsNewestFirst) {
  std::vector<NewExecution> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(sample_execution(clock_, i == 3 ? "bob" : "ada", i == 1 ? "words" : "digits"));
    create(all.back());
  }
  auto documents = [&](std::vector<size_t> which) {
    std::vector<std::string> texts;
    for (size_t i : which) texts.push_back(all[i].document);
    return texts;
  };
  EXPECT_EQ(history({}), documents({4, 3, 2, 1, 0}));
  EXPECT_EQ(history({.user = "ada"}), documents({4, 2, 1, 0}));
  EXPECT_EQ(history({.user = "ada", .project = "digits"}), documents({4, 2, 0}));
  EXPECT_EQ(history({.project = "digits"}), documents({4, 3, 2, 0}));
  EXPECT_EQ(history({.limit = 2}), documents({4, 3}));
  EXPECT_EQ(history({.user = "ada", .before = all[2].execution.id}), documents({1, 0}));
  EXPECT_EQ(history({.limit = 0}), documents({}));
  HistoryQuery query{.limit = 1, .before = all[3].execution.id};
  query.where = parse_where("id exists").value();
  EXPECT_EQ(history(query), documents({2}));
}

TEST_P(DatabaseContract, ACursorSeesTheDatabaseAsItWas) {
  NewExecution a = sample_execution(clock_), b = sample_execution(clock_);
  create(a);
  create(b);
  auto cursor = *database_->history().open({});
  EXPECT_TRUE(*executions().save(a.execution, 0, std::nullopt, R"({"new":1})", Durability::relaxed));
  create(sample_execution(clock_));
  auto row = *cursor->next();
  EXPECT_EQ(row->id, b.execution.id);
  row = *cursor->next();
  EXPECT_EQ(row->document, a.document);
  EXPECT_FALSE(*cursor->next());
  EXPECT_FALSE(*cursor->next());
}

TEST_P(DatabaseContract, HistoryWhere) {
  auto add = [&](const std::string& document) {
    NewExecution created = sample_execution(clock_);
    created.document = document;
    create(created);
    return document;
  };
  const std::string good = add(R"({"user":"ada","p":{"lr":0.1,"n":3,"on":true,"list":[1,"0"],"none":null},"m":{"loss":0.30000000000000004}})");
  const std::string nan = add(R"({"user":"bob","p":{"lr":"0.1","n":0,"on":false},"m":{"loss":"NaN"}})");
  const std::string odd = add(R"({"a.b":1,"q\"uote":{"\u00e9":"x\ny"},"e/1":2,"":5,"back\\slash":"caf\u00e9","big":12345678901234567890})");
  add("not JSON at all");

  EXPECT_THAT(history_where("p.lr = 0.1"), ElementsAre(good));
  EXPECT_THAT(history_where("p.lr = '0.1'"), ElementsAre(nan));
  EXPECT_THAT(history_where("p.lr < 0.2"), ElementsAre(good));
  EXPECT_THAT(history_where("p.lr <= 0.1"), ElementsAre(good));
  EXPECT_THAT(history_where("p.lr > 0.1"), IsEmpty());
  EXPECT_THAT(history_where("p.lr >= 0.1"), ElementsAre(good));
  EXPECT_THAT(history_where("p.lr != 0.1"), ElementsAre(odd, nan));
  EXPECT_THAT(history_where("not p.lr = 0.1"), ElementsAre(odd, nan));
  EXPECT_THAT(history_where("not p.lr > 0.1"), ElementsAre(odd, nan, good));
  EXPECT_THAT(history_where("m.loss = 0.30000000000000004"), ElementsAre(good));
  EXPECT_THAT(history_where("m.loss = NaN"), ElementsAre(nan));
  EXPECT_THAT(history_where("m.loss < 1"), ElementsAre(good));
  EXPECT_THAT(history_where("p.on"), ElementsAre(good));
  EXPECT_THAT(history_where("p.on = false"), ElementsAre(nan));
  EXPECT_THAT(history_where("p.on = 1"), IsEmpty());
  EXPECT_THAT(history_where("p.on < true"), IsEmpty());
  EXPECT_THAT(history_where("p.n"), ElementsAre(good));
  EXPECT_THAT(history_where("p.n exists"), ElementsAre(nan, good));
  EXPECT_THAT(history_where("p.none exists"), ElementsAre(good));
  EXPECT_THAT(history_where("p.none"), IsEmpty());
  EXPECT_THAT(history_where("p.none = null"), ElementsAre(good));
  EXPECT_THAT(history_where("p.none != null"), ElementsAre(odd, nan));
  EXPECT_THAT(history_where("p.list"), ElementsAre(good));
  EXPECT_THAT(history_where("p.list.0 exists"), IsEmpty());
  EXPECT_THAT(history_where("p.list = '[1,\"0\"]'"), IsEmpty());
  EXPECT_THAT(history_where("user ~ d"), ElementsAre(good));
  EXPECT_THAT(history_where("user ~ ''"), ElementsAre(nan, good));
  EXPECT_THAT(history_where("p.n ~ 3"), IsEmpty());
  EXPECT_THAT(history_where("user > ada"), ElementsAre(nan));
  EXPECT_THAT(history_where("user = ada and p.n = 3 or user = bob and not p.on"), ElementsAre(nan, good));
  EXPECT_THAT(history_where("user.name exists"), IsEmpty());
  EXPECT_THAT(history_where(R"("a.b" = 1)"), ElementsAre(odd));
  EXPECT_THAT(history_where(R"("q\"uote"."é" = "x\ny")"), ElementsAre(odd));
  EXPECT_THAT(history_where(R"("q\"uote"."é" ~ y and "a.b")"), ElementsAre(odd));
  EXPECT_THAT(history_where(R"("e/1" >= 2)"), ElementsAre(odd));
  EXPECT_THAT(history_where(R"("" = 5)"), ElementsAre(odd));
  EXPECT_THAT(history_where(R"("back\\slash" = "café")"), ElementsAre(odd));
  EXPECT_THAT(history_where(R"("back\\slash"."x" exists)"), IsEmpty());
  EXPECT_THAT(history_where("big > 12345678901234500000"), ElementsAre(odd));
  EXPECT_THAT(history_where("big = 12345678901234567890"), ElementsAre(odd));
  EXPECT_THAT(history_where("nothing != 1"), ElementsAre(odd, nan, good));
}

TEST_P(DatabaseContract, StoresInstances) {
  Instance a = sample_instance(clock_), b = sample_instance(clock_);
  InstanceRecords& instances = database_->instances();
  b.state = InstanceState::gone;
  ASSERT_TRUE(instances.save(a, Durability::durable));
  ASSERT_TRUE(instances.save(b, Durability::relaxed));
  EXPECT_EQ(**instances.find(a.id), a);
  EXPECT_THAT(*instances.list(false), ElementsAre(a));
  EXPECT_THAT(*instances.list(true), ElementsAre(a, b));
  EXPECT_FALSE(*instances.find(InstanceId::make(clock_)));
  a.state = InstanceState::busy;
  a.idle_since.reset();
  Instance with_executions = a;
  with_executions.executions = {ExecutionId::make(clock_)};
  ASSERT_TRUE(instances.save(with_executions, Durability::relaxed));
  EXPECT_EQ(**instances.find(a.id), a);
}

TEST_P(DatabaseContract, LatestMeasures) {
  Attempt attempt = attempt_of(create(sample_execution(clock_)));
  ASSERT_TRUE(measures().append(attempt.execution_id, attempt.id,
                                {sample_event(1, "summary", "{}"), sample_event(2, "e/loss", "1"),
                                 sample_event(3, "e/loss", "NaN"), sample_event(4, "e.x", "2"),
                                 sample_event(5, "e", "\"\xc3\xa9\""), sample_event(6, "a", "6", 1),
                                 sample_event(7, "a", "7", 0), sample_event(8, "e0", "8")}));
  EXPECT_THAT(latest(attempt.id), ElementsAre("e=\"\xc3\xa9\"", "e.x=2", "e/loss=NaN", "e0=8", "summary={}", "0#a=7", "1#a=6"));
  EXPECT_THAT(latest(attempt.id, "e"), ElementsAre("e=\"\xc3\xa9\"", "e/loss=NaN"));
  EXPECT_THAT(latest(attempt.id, "e/loss"), ElementsAre("e/loss=NaN"));
  EXPECT_THAT(latest(attempt.id, "zzz"), IsEmpty());
  EXPECT_THAT(latest(AttemptId::make(clock_)), IsEmpty());
  int seen = 0;
  ASSERT_TRUE(measures().latest(attempt.id, "", [&](const MeasureEvent&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST_P(DatabaseContract, RepeatedMeasuresAreSkipped) {
  Attempt attempt = attempt_of(create(sample_execution(clock_)));
  auto append = [&](const std::vector<MeasureEvent>& events) { return measures().append(attempt.execution_id, attempt.id, events); };
  ASSERT_TRUE(append({sample_event(1, "a", "1"), sample_event(3, "a", "3")}));
  ASSERT_TRUE(append({sample_event(1, "a", "again"), sample_event(2, "a", "2"), sample_event(3, "b", "again")}));
  EXPECT_THAT(latest(attempt.id), ElementsAre("a=3"));
  EXPECT_EQ(*measures().last_sequence(attempt.id), 3u);
  EXPECT_EQ(measures().append(attempt.execution_id, AttemptId::make(clock_), {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(measures().append(ExecutionId::make(clock_), attempt.id, {}).error().code, ErrorCode::not_found);
}

TEST_P(DatabaseContract, MeasureEventsInOrder) {
  Attempt attempt = attempt_of(create(sample_execution(clock_)));
  MeasureEvent a1 = sample_event(1, "a", "1"), b2 = sample_event(2, "b", "2", 9), a3 = sample_event(3, "a", "3");
  ASSERT_TRUE(measures().append(attempt.execution_id, attempt.id, {b2, a3, a1}));
  EXPECT_THAT(*measures().events(attempt.id, std::nullopt, 0, 10), ElementsAre(a1, b2, a3));
  EXPECT_THAT(*measures().events(attempt.id, std::nullopt, 1, 1), ElementsAre(b2));
  EXPECT_THAT(*measures().events(attempt.id, "a", 0, 10), ElementsAre(a1, a3));
  EXPECT_THAT(*measures().events(attempt.id, "a", 1, 10), ElementsAre(a3));
  EXPECT_THAT(*measures().events(AttemptId::make(clock_), std::nullopt, 0, 10), IsEmpty());
}

TEST_P(DatabaseContract, BlobsKeepTheirFirstRecord) {
  Uuid first = Uuid::make_v7(clock_), second = Uuid::make_v7(clock_), redundant = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, first), b = sample_blob(2, first), b2 = sample_blob(2, second), c = sample_blob(3, second);
  b2.offset = 999;
  ASSERT_TRUE(blobs().add_pack(first, 1000, std::vector{b, a}));
  ASSERT_TRUE(blobs().add_pack(second, 2000, std::vector{b2, c}));
  ASSERT_TRUE(blobs().add_pack(second, 2000, std::vector{b2, c}));
  ASSERT_TRUE(blobs().add_pack(redundant, 3000, std::vector{a}));
  auto found = *blobs().find(std::vector{c.digest, sample_digest(99), a.digest, b.digest, a.digest});
  EXPECT_THAT(found, ElementsAre(c, std::nullopt, a, b, a));
  EXPECT_THAT(*blobs().packs(), ElementsAre(first, second));
  auto totals = *blobs().totals();
  EXPECT_EQ(totals.blobs, 3u);
  EXPECT_EQ(totals.bytes, 300u);
  EXPECT_EQ(totals.stored_bytes, 180u);
  EXPECT_EQ(totals.packs, 2u);
  EXPECT_THAT(*blobs().find({}), IsEmpty());
}

TEST_P(DatabaseContract, NothingIsRemovedUnderALease) {
  Uuid pack = Uuid::make_v7(clock_), other = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, pack), b = sample_blob(2, pack), c = sample_blob(3, other);
  ASSERT_TRUE(blobs().add_pack(pack, 1000, std::vector{a, b}));
  ASSERT_TRUE(blobs().add_pack(other, 1000, std::vector{c}));
  LeaseId lease = LeaseId::make(clock_), ended = LeaseId::make(clock_);
  ASSERT_TRUE(blobs().hold_lease(lease, clock_.now() + std::chrono::seconds(1)));
  ASSERT_TRUE(blobs().hold_lease(ended, clock_.now() + std::chrono::hours(1)));
  ASSERT_TRUE(blobs().end_lease(ended));
  EXPECT_FALSE(*blobs().remove_unleased(std::vector{a.digest}, clock_.now()));
  ASSERT_TRUE(blobs().hold_lease(lease, clock_.now() + std::chrono::seconds(10)));
  clock_.advance(std::chrono::seconds(5));
  EXPECT_FALSE(*blobs().remove_unleased(std::vector{a.digest}, clock_.now()));
  EXPECT_THAT(*blobs().find(std::vector{a.digest}), ElementsAre(a));
  clock_.advance(std::chrono::seconds(5));
  EXPECT_TRUE(*blobs().remove_unleased(std::vector{a.digest, c.digest, sample_digest(77)}, clock_.now()));
  EXPECT_THAT(*blobs().find(std::vector{a.digest, b.digest, c.digest}), ElementsAre(std::nullopt, b, std::nullopt));
  EXPECT_THAT(*blobs().packs(), ElementsAre(pack));
  EXPECT_EQ((*blobs().totals()).bytes, 100u);
}

// Several threads at once: every write is there, none twice, and versions let one of them win.
TEST_P(DatabaseContract, ThreadsMeet) {
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

std::unique_ptr<Database> make_sqlite(const std::string& directory) {
  auto database = open_sqlite_database(directory + "/db");
  EXPECT_TRUE(database) << database.error().message;
  return std::move(*database);
}

const auto kDatabases = ::testing::Values(
    DatabaseFactory{"memory", [](const std::string&) { return make_memory_database(); }},
    DatabaseFactory{"sqlite", make_sqlite});
const auto kName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(All, DatabaseContract, kDatabases, kName);
INSTANTIATE_TEST_SUITE_P(All, CompositeContract, kDatabases, kName);

}  // namespace
}  // namespace plz
