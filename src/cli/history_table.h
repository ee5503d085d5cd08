// History's documents as rows: what was asked for and what came of it, side by side.
#pragma once

#include <string>
#include <string_view>

#include "cli/table.h"

namespace plz {

// Takes history as JSON lines, in pieces of any size.
class HistoryTable {
 public:
  HistoryTable();
  void feed(std::string_view piece);
  const Table& table() const { return table_; }

 private:
  Table table_;
  std::string unfinished_line_;
};

// One execution's document. Parameters and the summary of measures become a column for each value
// that is no object: parameters.optimizer.lr, measures.summary.accuracy.
Table::Row history_row(std::string_view document);

}  // namespace plz
