#include "db/sqlite/sqlite_history.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#include "db/where_match.h"

namespace plz {
namespace {

std::string index_for(const HistoryQuery& query) {
  if (!query.user) return "executions_of_top_level";
  return query.project ? "executions_by_project" : "executions_by_user";
}

// Parameters: 1 the cursor, 2 the limit, 3 the user, 4 the project. The condition is not SQL's affair, which
// would round the document's numbers to doubles.
std::string history_sql(const HistoryQuery& query) {
  std::string sql = "SELECT e.id, d.document FROM executions e INDEXED BY " + index_for(query) +
                    " CROSS JOIN documents d ON d.number = e.number WHERE e.parent IS NULL AND e.id < ?1";
  if (query.user) sql += " AND e.user = ?3";
  if (query.project) sql += " AND e.project = ?4";
  return sql + " ORDER BY e.id DESC LIMIT ?2";
}

// Greater than every id, as a BLOB is compared.
const std::string kBeyondAllIds(sizeof(Uuid) + 1, '\xff');

class SqliteHistoryCursor final : public HistoryCursor, public SnapshotHolder {
 public:
  SqliteHistoryCursor(OpenCursors& open_cursors, ReaderPool::Reader reader, const HistoryQuery& query)
      : open_cursors_(open_cursors),
        reader_(std::move(reader)),
        query_(query),
        before_(query.before),
        left_(std::min<size_t>(query.limit.value_or(INT64_MAX), INT64_MAX)) {
    open_cursors_.add(*this);
  }
  ~SqliteHistoryCursor() override { open_cursors_.remove(*this); }

  Result<void> start() {
    std::lock_guard lock(mutex_);
    PLZ_ASSIGN(Statement prepared, reader_->prepare(history_sql(query_)));
    statement_.emplace(std::move(prepared));
    bind();
    // The first step takes the snapshot: it has to be that of now, not of the first next().
    PLZ_ASSIGN(stepped_, statement_->step());
    return {};
  }

  Result<std::optional<Row>> next() override {
    std::lock_guard lock(mutex_);
    while (left_ > 0) {
      PLZ_ASSIGN(bool row, step());
      if (!row) break;
      ExecutionId id;
      std::string_view document;
      statement_->read(id, document);
      before_ = id;
      if (query_.where && !matches_where(*query_.where, document)) continue;
      document_.assign(document);
      --left_;
      return Row{id, document_};
    }
    left_ = 0;
    statement_->reset();
    return std::nullopt;
  }

  void release_snapshot() override {
    // Busy: it gets ahead, and will be asked again.
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || !statement_) return;
    statement_->reset();
    stepped_ = false;
    released_ = true;
  }

 private:
  Result<bool> step() {
    if (std::exchange(stepped_, false)) return true;
    if (released_) bind();
    return statement_->step();
  }

  void bind() {
    statement_->reset();
    if (before_) statement_->bind_at(1, *before_);
    else statement_->bind_at(1, Bytes{kBeyondAllIds});
    statement_->bind_at(2, query_.where ? INT64_MAX : static_cast<int64_t>(left_));
    if (query_.user) statement_->bind_at(3, *query_.user);
    if (query_.project) statement_->bind_at(4, *query_.project);
    released_ = false;
  }

  OpenCursors& open_cursors_;
  ReaderPool::Reader reader_;
  HistoryQuery query_;

  std::mutex mutex_;                    // guards what follows
  std::optional<Statement> statement_;  // goes before its reader
  std::optional<ExecutionId> before_;   // the last one looked at
  size_t left_;
  std::string document_;  // the row's: the statement may be reset under it
  bool stepped_ = false;  // start() has a row that next() has not shown
  bool released_ = false;
};

}  // namespace

Result<std::unique_ptr<HistoryCursor>> SqliteHistory::open(const HistoryQuery& query) {
  PLZ_ASSIGN(auto reader, store_.reader());
  auto cursor = std::make_unique<SqliteHistoryCursor>(store_.open_cursors(), std::move(reader), query);
  PLZ_TRY(cursor->start());
  return cursor;
}

}  // namespace plz
