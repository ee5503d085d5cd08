// What was run: executions as documents, to be filtered and streamed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/execution.h"
#include "model/where.h"

namespace plz {

struct HistoryQuery {
  std::optional<std::string> user, project;
  std::optional<Where> where;         // over the document
  std::optional<size_t> limit;        // the newest so many
  std::optional<ExecutionId> before;  // cursor
};

// One reader, one thread at a time. It sees the database as it was when it began, and never holds up
// writers; one that is left lying while very much is written (64 MiB) goes on with what is stored
// then. Memory: one row, whatever the number of rows.
class HistoryCursor {
 public:
  virtual ~HistoryCursor() = default;
  struct Row {
    ExecutionId id;
    std::string_view document;  // JSON text; valid until the next call
  };
  virtual Result<std::optional<Row>> next() = 0;  // newest first
};

// Thread-safe.
class History {
 public:
  virtual ~History() = default;
  virtual Result<std::unique_ptr<HistoryCursor>> open(const HistoryQuery& query) = 0;
};

}  // namespace plz
