#include "db/database_contract.h"

#include <cstdlib>

#include "db/memory/memory_database.h"
#include "db/sqlite/sqlite_database.h"
#include "os/file.h"

namespace plz {
namespace {

std::unique_ptr<Database> make_sqlite(const std::string& directory) {
  auto database = open_sqlite_database(directory + "/db");
  EXPECT_TRUE(database) << database.error().message;
  return std::move(*database);
}

}  // namespace

std::vector<DatabaseFactory> all_databases() {
  return {{"memory", [](const std::string&) { return make_memory_database(); }}, {"sqlite", make_sqlite}};
}

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

Ids DatabaseContract::list(const ExecutionFilter& filter, std::optional<ExecutionId> before, size_t limit) {
  Ids ids;
  auto records = executions().list(filter, before, limit);
  for (const auto& record : *records) ids.push_back(record.execution.id);
  return ids;
}

Texts DatabaseContract::history(const HistoryQuery& query) {
  Texts documents;
  auto cursor = database_->history().open(query);
  auto next = [&] { return cursor ? (*cursor)->next() : fail(cursor.error()); };
  auto row = next();
  for (; row && *row; row = next()) documents.emplace_back((*row)->document);
  EXPECT_TRUE(row) << row.error().message;
  return documents;
}

Texts DatabaseContract::history_where(const std::string& where) {
  HistoryQuery query;
  query.where = parse_where(where).value();
  return history(query);
}

Texts DatabaseContract::latest(AttemptId attempt, const std::string& prefix) {
  Texts found;
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

}  // namespace plz
