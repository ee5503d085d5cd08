#include "controller/services/history_stream.h"

#include "base/log.h"

namespace plz {
namespace {

class HistoryProducer final : public Producer {
 public:
  HistoryProducer(std::unique_ptr<HistoryCursor> cursor, ExecutionService& executions, HistoryFormat format)
      : cursor_(std::move(cursor)), executions_(executions), format_(format) {}

  State produce(std::string& piece, size_t target_bytes) override {
    // The first helping is small: the first byte should not wait for half a megabyte of rows.
    if (!begun_) target_bytes = 16u << 10;
    if (!begun_ && format_ == HistoryFormat::json_object) piece += '{';
    while (piece.size() < target_bytes) {
      auto row = cursor_->next();
      if (!row) {
        log_error("history: {}", row.error().message);
        return State::failed;
      }
      if (!*row) {
        if (format_ == HistoryFormat::json_object) piece += rows_ > 0 ? "\n}\n" : "}\n";
        return State::end;
      }
      append(piece, **row);
    }
    begun_ = true;
    return State::data;
  }

 private:
  void append(std::string& piece, const HistoryCursor::Row& row) {
    if (format_ == HistoryFormat::json_object) {
      piece += rows_ > 0 ? ",\n\"" : "\n\"";
      piece += row.id.to_string();
      piece += "\": ";
    }
    if (executions_.is_unfinished(row.id)) {
      auto execution = executions_.get(row.id);
      piece += execution ? executions_.document(*execution) : std::string(row.document);
    } else {
      piece += row.document;
    }
    if (format_ == HistoryFormat::json_lines) piece += '\n';
    ++rows_;
  }

  std::unique_ptr<HistoryCursor> cursor_;
  ExecutionService& executions_;
  const HistoryFormat format_;
  bool begun_ = false;
  uint64_t rows_ = 0;
};

}  // namespace

Result<std::unique_ptr<Producer>> stream_history(History& history, ExecutionService& executions,
                                                 const HistoryQuery& query, HistoryFormat format) {
  PLZ_ASSIGN(auto cursor, history.open(query));
  return std::make_unique<HistoryProducer>(std::move(cursor), executions, format);
}

}  // namespace plz
