#include "db/sqlite/sqlite_measures.h"

#include <algorithm>
#include <cstdint>

namespace plz {
namespace {

constexpr int64_t kNoIndex = INT64_MIN;  // persisted

constexpr const char* kInsert =
    "INSERT INTO measures (attempt, sequence, parallel_index, path, time, value) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING";
constexpr const char* kInsertLatest =
    "INSERT INTO latest_measures (attempt, parallel_index, path, sequence) VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence";
constexpr const char* kSelect = "SELECT m.sequence, m.parallel_index, m.path, m.time, m.value ";
constexpr const char* kAttempt = "(SELECT number FROM attempts WHERE id = ?1)";

// Not below: "a" and "a.b" are no parts of "a/…", though "a" < "a.b" < "a/b" < "a0" as bytes.
constexpr const char* kBelow = "AND (l.path = ?2 OR (l.path >= ?2 || '/' AND l.path < ?2 || '0')) ";

Result<int64_t> attempt_number(Connection& connection, ExecutionId execution, AttemptId attempt) {
  PLZ_ASSIGN(Statement query, connection.statement("SELECT number FROM attempts WHERE id = ? AND execution = ?"));
  query.bind(attempt, execution);
  PLZ_ASSIGN(bool found, query.step());
  if (found) return query.column<int64_t>(0);
  return fail(ErrorCode::not_found,
              "there is no attempt " + attempt.to_string() + " of execution " + execution.to_string());
}

Result<void> append_one(Connection& connection, int64_t attempt, const MeasureEvent& event) {
  int64_t index = event.index.value_or(kNoIndex);
  PLZ_ASSIGN(Statement insert, connection.statement(kInsert));
  insert.bind(attempt, event.sequence, index, event.path, event.time, BorrowedText{event.value.text});
  PLZ_TRY(insert.run());
  if (connection.changed_rows() == 0) return {};
  PLZ_ASSIGN(Statement latest, connection.statement(kInsertLatest));
  latest.bind(attempt, index, event.path, event.sequence);
  return latest.run();
}

void read_event(Statement& row, MeasureEvent& event) {
  int64_t index = kNoIndex;
  row.read(event.sequence, index, event.path, event.time, event.value.text);
  event.index = index == kNoIndex ? std::nullopt : std::optional(index);
}

}  // namespace

Result<void> SqliteMeasures::append(ExecutionId execution, AttemptId attempt, const std::vector<MeasureEvent>& events) {
  return store_.write(Durability::relaxed, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(int64_t number, attempt_number(connection, execution, attempt));
    for (const MeasureEvent& event : events) PLZ_TRY(append_one(connection, number, event));
    return {};
  });
}

Result<void> SqliteMeasures::latest(AttemptId attempt, const std::string& prefix, const OnEvent& on_event) {
  std::string sql = std::string(kSelect) +
                    "FROM latest_measures l CROSS JOIN measures m ON m.attempt = l.attempt AND m.sequence = l.sequence "
                    "WHERE l.attempt = " +
                    kAttempt + " " + (prefix.empty() ? "" : kBelow) + "ORDER BY l.parallel_index, l.path";
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement(sql));
  if (prefix.empty()) query.bind(attempt);
  else query.bind(attempt, prefix);
  MeasureEvent event;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return {};
    read_event(query, event);
    if (!on_event(event)) return {};
  }
}

Result<std::vector<MeasureEvent>> SqliteMeasures::events(AttemptId attempt, const std::optional<std::string>& path,
                                                         uint64_t after, size_t limit) {
  std::string sql = std::string(kSelect) + "FROM measures m WHERE m.attempt = " + kAttempt + " AND m.sequence > ?2 " +
                    (path ? "AND m.path = ?4 " : "") + "ORDER BY m.sequence LIMIT ?3";
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement(sql));
  auto at_most = static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX));
  if (path) query.bind(attempt, after, at_most, *path);
  else query.bind(attempt, after, at_most);
  std::vector<MeasureEvent> events;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return events;
    read_event(query, events.emplace_back());
  }
}

Result<uint64_t> SqliteMeasures::last_sequence(AttemptId attempt) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query,
             reader->statement(std::string("SELECT max(sequence) FROM measures WHERE attempt = ") + kAttempt));
  query.bind(attempt);
  PLZ_TRY(query.step());
  return query.column<uint64_t>(0);
}

}  // namespace plz
