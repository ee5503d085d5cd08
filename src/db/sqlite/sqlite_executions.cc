#include "db/sqlite/sqlite_executions.h"

#include <algorithm>
#include <functional>

#include "db/execution_rules.h"
#include "db/spec_codec.h"
#include "db/sqlite/attempt_row.h"
#include "db/sqlite/execution_row.h"
#include "db/sqlite/reference_changes.h"

namespace plz {
namespace {

const std::string kSelectExecutions = std::string("SELECT ") + kExecutionColumns + "FROM executions e ";
const std::string kSelectAttempts = std::string("SELECT ") + kAttemptColumns + "FROM attempts ";
const std::string kWithSpecs = "CROSS JOIN specs s ON s.number = COALESCE(e.spec, e.number) ";
const std::string kFindExecution = kSelectExecutions + kWithSpecs + "WHERE e.id = ?";
const std::string kUnfinished = kSelectExecutions + "INDEXED BY executions_unfinished " + kWithSpecs +
                                "WHERE e.state < 4 AND e.composite = 0 ORDER BY e.id";
const std::string kParts = kSelectExecutions + "INDEXED BY executions_by_parent " + kWithSpecs + "WHERE e.parent = ?1 ";
constexpr const char* kEndQueuedParts =
    "UPDATE executions INDEXED BY executions_by_parent SET state = 4, stop_requested = 1, finished = ?2, outcome = ?3, "
    "out_of_memory = 0, reason = ?4, shell_environment = NULL, version = version + 1 "
    "WHERE parent = ?1 AND state = 0 RETURNING id";
constexpr const char* kMarkOtherParts =
    "UPDATE executions INDEXED BY executions_by_parent SET stop_requested = 1, version = version + 1 "
    "WHERE parent = ? AND state < 4 AND stop_requested = 0";

Result<void> visit_rows(Statement& rows, const ExecutionRecords::Visit& visit) {
  ExecutionRows reading;
  for (;;) {
    PLZ_ASSIGN(bool row, rows.step());
    if (!row) return {};
    PLZ_ASSIGN(const ExecutionRecord* record, reading.read(rows));
    if (!visit(*record)) return {};
  }
}

Result<std::vector<ExecutionId>> read_ids(Statement& rows) {
  std::vector<ExecutionId> ids;
  for (;;) {
    PLZ_ASSIGN(bool row, rows.step());
    if (!row) return ids;
    rows.read(ids.emplace_back());
  }
}

Result<std::optional<ExecutionId>> find_key(Connection& connection, const std::string& user,
                                            const IdempotencyKey& key) {
  if (key.text.empty()) return std::nullopt;
  PLZ_ASSIGN(Statement query,
             connection.statement("SELECT execution, request FROM idempotency_keys WHERE user = ? AND key = ?"));
  query.bind(user, key.text);
  PLZ_ASSIGN(bool found, query.step());
  if (!found) return std::nullopt;
  ExecutionId id;
  std::optional<Digest> request;
  query.read(id, request);
  PLZ_TRY(check_same_request(key, request, id));
  return id;
}

Result<void> insert_key(Connection& connection, const Execution& execution, const IdempotencyKey& key) {
  if (key.text.empty()) return {};
  PLZ_ASSIGN(Statement insert, connection.statement("INSERT INTO idempotency_keys VALUES (?, ?, ?, ?)"));
  insert.bind(execution.spec.user, key.text, execution.id, key.request);
  return insert.run();
}

Result<std::optional<int64_t>> insert_shell(Connection& connection, const SubmittingShell& shell) {
  if (shell.empty()) return std::nullopt;
  PLZ_ASSIGN(Statement insert,
             connection.statement("INSERT INTO shell_environments (variables, attributes) VALUES (?, ?)"));
  const std::string attributes = encode_attributes(shell.attributes);
  insert.bind(Bytes{encode_variables(shell.variables)},
              shell.attributes.empty() ? std::nullopt : std::optional(Bytes{attributes}));
  PLZ_TRY(insert.run());
  return connection.last_row_number();
}

Result<void> save_document(Connection& connection, int64_t number, const std::string& document) {
  PLZ_ASSIGN(Statement save, connection.statement("INSERT OR REPLACE INTO documents VALUES (?, ?)"));
  save.bind(number, BorrowedText{document});
  return save.run();
}

Result<void> check_required(Connection& connection, const std::vector<Digest>& required) {
  PLZ_ASSIGN(Statement query, connection.statement("SELECT 1 FROM blobs WHERE digest = ?"));
  for (const Digest& digest : required) {
    query.bind(digest);
    PLZ_ASSIGN(bool found, query.step());
    if (!found) return fail(lacks_blob(digest));
  }
  return {};
}

// Parts share their composite's row where they have the same variables.
Result<void> insert_all(Connection& connection, const std::vector<NewExecution>& executions) {
  const SubmittingShell* stored = nullptr;
  std::optional<int64_t> shell;
  for (const NewExecution& each : executions) {
    PLZ_TRY(check_new(each.execution));
    PLZ_TRY(check_required(connection, each.required));
    if (!stored || *stored != each.shell) {
      stored = &each.shell;
      PLZ_ASSIGN(shell, insert_shell(connection, each.shell));
    }
    PLZ_ASSIGN(int64_t number, insert_execution(connection, each.execution, shell));
    PLZ_TRY(save_document(connection, number, each.document.empty() ? "{}" : each.document));
    for (const NewPart& part : each.parts) PLZ_TRY(insert_part(connection, number, each.execution, part));
  }
  return count_reference_change(connection);
}

struct Stored {
  int64_t number = 0;
  uint64_t version = 0;
  ExecutionState state = ExecutionState::queued;
};

Result<std::optional<Stored>> find_stored(Connection& connection, ExecutionId id) {
  PLZ_ASSIGN(Statement query, connection.statement("SELECT number, version, state FROM executions WHERE id = ?"));
  query.bind(id);
  PLZ_ASSIGN(bool found, query.step());
  if (!found) return std::nullopt;
  Stored stored;
  query.read(stored.number, stored.version, stored.state);
  return stored;
}

Result<std::optional<ExecutionRecord>> find_record(Connection& connection, ExecutionId id) {
  PLZ_ASSIGN(Statement query, connection.statement(kFindExecution));
  query.bind(id);
  PLZ_ASSIGN(bool found, query.step());
  if (!found) return std::nullopt;
  ExecutionRows reading;
  PLZ_TRY(reading.read(query));
  return reading.take();
}

// The row of variables goes with the last unfinished execution that refers to it.
Result<void> forget_shell_environment(Connection& connection, int64_t number) {
  PLZ_ASSIGN(Statement query, connection.statement("SELECT shell_environment FROM executions WHERE number = ?"));
  query.bind(number);
  PLZ_TRY(query.step());
  auto row = query.column<std::optional<int64_t>>(0);
  if (!row) return {};
  PLZ_ASSIGN(Statement unlink, connection.statement("UPDATE executions SET shell_environment = NULL WHERE number = ?"));
  unlink.bind(number);
  PLZ_TRY(unlink.run());
  PLZ_ASSIGN(Statement remove, connection.statement("DELETE FROM shell_environments WHERE number = ?1 AND NOT EXISTS "
                                                    "(SELECT 1 FROM executions WHERE shell_environment = ?1)"));
  remove.bind(*row);
  return remove.run();
}

// What is stored under the lease of an attempt is its execution's output, which is referred to from now on.
Result<void> end_lease_of_attempt(Connection& connection, const Execution& execution) {
  if (!execution.attempt_id) return {};
  PLZ_ASSIGN(Statement end, connection.statement("DELETE FROM leases WHERE id = ?"));
  end.bind(*execution.attempt_id);
  return end.run();
}

Result<bool> save_in(Connection& connection, const Execution& execution, uint64_t expected_version,
                     const std::optional<Attempt>& attempt, const std::string& document) {
  PLZ_ASSIGN(auto stored, find_stored(connection, execution.id));
  if (!stored) return fail(no_such_execution(execution.id));
  if (stored->version != expected_version) return false;
  if (stored->state == ExecutionState::finished) {
    PLZ_ASSIGN(auto record, find_record(connection, execution.id));
    PLZ_TRY(check_unchanged(record->execution, execution));
  }
  if (attempt) {
    PLZ_TRY(check_attempt(*attempt, execution.id));
    PLZ_TRY(save_attempt(connection, *attempt));
  }
  PLZ_TRY(update_execution(connection, stored->number, execution, stored->version + 1));
  // Only the end of an execution brings it an output.
  if (execution.output_tree && stored->state != ExecutionState::finished) PLZ_TRY(count_reference_change(connection));
  if (!document.empty()) PLZ_TRY(save_document(connection, stored->number, document));
  if (execution.state == ExecutionState::finished) {
    PLZ_TRY(forget_shell_environment(connection, stored->number));
    PLZ_TRY(end_lease_of_attempt(connection, execution));
  }
  return true;
}

Result<void> remove_rows(Connection& connection, const std::string& sql, const ExecutionId& id) {
  PLZ_ASSIGN(Statement remove, connection.statement(sql));
  remove.bind(id);
  return remove.run();
}

Result<void> remove_one(Connection& connection, ExecutionId id) {
  static const std::string kNumbers = "(SELECT number FROM attempts WHERE execution = ?)";
  static const std::string kNumber = "(SELECT number FROM executions WHERE id = ?)";
  PLZ_TRY(remove_rows(connection, "DELETE FROM measures WHERE attempt IN " + kNumbers, id));
  PLZ_TRY(remove_rows(connection, "DELETE FROM latest_measures WHERE attempt IN " + kNumbers, id));
  PLZ_TRY(remove_rows(connection, "DELETE FROM attempts WHERE execution = ?", id));
  PLZ_TRY(remove_rows(connection, "DELETE FROM idempotency_keys WHERE execution = ?", id));
  PLZ_TRY(remove_rows(connection, "DELETE FROM specs WHERE number = " + kNumber, id));
  PLZ_TRY(remove_rows(connection, "DELETE FROM documents WHERE number = " + kNumber, id));
  return remove_rows(connection, "DELETE FROM executions WHERE id = ?", id);
}

// The execution, then its parts.
Result<std::vector<ExecutionId>> with_parts(Connection& connection, ExecutionId id) {
  PLZ_ASSIGN(Statement query, connection.statement("SELECT id, state FROM executions WHERE id = ?1 "
                                                   "UNION ALL SELECT id, state FROM executions WHERE parent = ?1"));
  query.bind(id);
  std::vector<ExecutionId> ids;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) break;
    ExecutionState state{};
    query.read(ids.emplace_back(), state);
    if (state != ExecutionState::finished) return fail(not_finished(ids.back()));
  }
  if (ids.empty()) return fail(no_such_execution(id));
  return ids;
}

// The conditions of a filter, and the index that serves it. INDEXED BY is a promise, not a hint: a
// schema that lacks the index fails in the tests instead of growing slow.
struct ListQuery {
  explicit ListQuery(const ExecutionFilter& filter, std::optional<ExecutionId> before) {
    where("e.user = ?", filter.user);
    where("e.project = ?", filter.project);
    where("e.parent = ?", filter.parent);
    where("e.instance = ?", filter.instance);
    where("e.id < ?", before);
    if (filter.unfinished_only) conditions += "AND e.state < 4 ";
    if (filter.top_level_only) conditions += "AND e.parent IS NULL ";
    index = index_for(filter);
    order = filter.parent ? "ORDER BY e.first_index, e.id " : "ORDER BY e.id DESC ";
  }

  static std::string index_for(const ExecutionFilter& filter) {
    if (filter.parent) return "INDEXED BY executions_by_parent ";
    if (filter.unfinished_only) return "INDEXED BY executions_unfinished ";
    if (filter.instance) return "INDEXED BY executions_by_instance ";
    if (!filter.top_level_only) return "";
    if (filter.user) return filter.project ? "INDEXED BY executions_by_project " : "INDEXED BY executions_by_user ";
    return "INDEXED BY executions_of_top_level ";
  }

  template <typename T>
  void where(const char* condition, const std::optional<T>& value) {
    if (!value) return;
    conditions += std::string("AND ") + condition + " ";
    binders.push_back([value](Statement& statement, int at) { statement.bind_at(at, *value); });
  }

  std::string sql() const {
    return kSelectExecutions + index + kWithSpecs + "WHERE 1 " + conditions + order + "LIMIT ?";
  }

  void bind(Statement& statement, size_t limit) const {
    int at = 0;
    for (const auto& binder : binders) binder(statement, ++at);
    statement.bind_at(++at, static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX)));
  }

  std::string conditions, index, order;
  std::vector<std::function<void(Statement&, int)>> binders;
};

}  // namespace

Result<ExecutionId> SqliteExecutions::create(const std::vector<NewExecution>& executions,
                                             const IdempotencyKey& idempotency_key) {
  if (executions.empty()) return fail(ErrorCode::invalid, "there is no execution to create");
  const Execution& first = executions.front().execution;
  ExecutionId id;
  PLZ_TRY(store_.write(Durability::durable, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(auto earlier, find_key(connection, first.spec.user, idempotency_key));
    id = earlier.value_or(first.id);
    if (earlier) return {};
    PLZ_TRY(insert_key(connection, first, idempotency_key));
    return insert_all(connection, executions);
  }));
  return id;
}

Result<std::optional<ExecutionRecord>> SqliteExecutions::find(ExecutionId id) {
  PLZ_ASSIGN(auto reader, store_.reader());
  return find_record(*reader, id);
}

Result<void> SqliteExecutions::each(const ExecutionFilter& filter, std::optional<ExecutionId> before, size_t limit,
                                    const Visit& visit) {
  ListQuery list(filter, before);
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement(list.sql()));
  list.bind(query, limit);
  return visit_rows(query, visit);
}

Result<void> SqliteExecutions::each_unfinished(const Visit& visit) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement(kUnfinished));
  return visit_rows(query, visit);
}

Result<void> SqliteExecutions::each_part(ExecutionId composite, std::optional<int64_t> from_index, const Visit& visit) {
  PLZ_ASSIGN(auto reader, store_.reader());
  // Without an index there may be parts that have none.
  PLZ_ASSIGN(Statement query, reader->statement(kParts + (from_index ? "AND e.first_index >= ?2 " : "") +
                                                "ORDER BY e.first_index, e.id"));
  query.bind_at(1, composite);
  if (from_index) query.bind_at(2, *from_index);
  return visit_rows(query, visit);
}

Result<StoppedParts> SqliteExecutions::stop_parts(ExecutionId composite, const Outcome& outcome, Timestamp now) {
  StoppedParts stopped;
  PLZ_TRY(store_.write(Durability::durable, [&](Connection& connection) -> Result<void> {
    stopped = {};
    PLZ_ASSIGN(Statement end, connection.statement(kEndQueuedParts));
    end.bind(composite, now, outcome.kind, outcome.reason);
    PLZ_ASSIGN(stopped.ended, read_ids(end));
    PLZ_ASSIGN(Statement mark, connection.statement(kMarkOtherParts));
    mark.bind(composite);
    PLZ_TRY(mark.run());
    PLZ_ASSIGN(Statement others, connection.statement("SELECT id FROM executions INDEXED BY executions_by_parent "
                                                      "WHERE parent = ? AND state < 4 ORDER BY first_index, id"));
    others.bind(composite);
    PLZ_ASSIGN(stopped.in_hand, read_ids(others));
    return connection.execute(
        "DELETE FROM shell_environments WHERE number NOT IN "
        "(SELECT shell_environment FROM executions WHERE shell_environment IS NOT NULL)");
  }));
  return stopped;
}

Result<bool> SqliteExecutions::save(const Execution& execution, uint64_t expected_version,
                                    const std::optional<Attempt>& attempt, const std::string& document,
                                    Durability durability) {
  bool saved = false;
  PLZ_TRY(store_.write(durability, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(saved, save_in(connection, execution, expected_version, attempt, document));
    return {};
  }));
  return saved;
}

Result<std::optional<Attempt>> SqliteExecutions::find_attempt(AttemptId id) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement(kSelectAttempts + "WHERE id = ?"));
  query.bind(id);
  PLZ_ASSIGN(bool found, query.step());
  if (!found) return std::nullopt;
  return read_attempt(query);
}

Result<std::vector<Attempt>> SqliteExecutions::attempts(ExecutionId id) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query, reader->statement(kSelectAttempts + "WHERE execution = ? ORDER BY ordinal"));
  query.bind(id);
  std::vector<Attempt> attempts;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return attempts;
    PLZ_ASSIGN(Attempt attempt, read_attempt(query));
    attempts.push_back(std::move(attempt));
  }
}

Result<SubmittingShell> SqliteExecutions::submitting_shell(ExecutionId id) {
  PLZ_ASSIGN(auto reader, store_.reader());
  PLZ_ASSIGN(Statement query,
             reader->statement("SELECT variables, attributes FROM shell_environments WHERE number = "
                               "(SELECT COALESCE(e.shell_environment, whole.shell_environment) FROM executions e "
                               "LEFT JOIN executions whole ON whole.id = e.parent WHERE e.id = ? AND e.state < 4)"));
  query.bind(id);
  PLZ_ASSIGN(bool found, query.step());
  SubmittingShell shell;
  if (!found) return shell;
  PLZ_ASSIGN(shell.variables, decode_variables(query.column<std::string_view>(0)));
  if (auto attributes = query.column<std::optional<std::string_view>>(1)) {
    PLZ_ASSIGN(shell.attributes, decode_attributes(*attributes));
  }
  return shell;
}

Result<void> SqliteExecutions::remove(ExecutionId id) {
  return store_.write(Durability::relaxed, [&](Connection& connection) -> Result<void> {
    PLZ_ASSIGN(auto ids, with_parts(connection, id));
    for (const ExecutionId& each : ids) PLZ_TRY(remove_one(connection, each));
    return {};
  });
}

}  // namespace plz
