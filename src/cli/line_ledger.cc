#include "cli/line_ledger.h"

#include <functional>

namespace plz {

std::string LineLedger::admit(std::string_view piece) {
  std::string shown;
  size_t end;
  while ((end = piece.find('\n')) != std::string_view::npos) {
    unfinished_ += piece.substr(0, end + 1);
    take_line(unfinished_, shown);
    unfinished_.clear();
    piece.remove_prefix(end + 1);
  }
  unfinished_ += piece;
  return shown;
}

void LineLedger::restart() {
  unfinished_.clear();
  to_come_again_ = shown_;
}

std::string LineLedger::rest() {
  std::string shown;
  if (!unfinished_.empty()) take_line(unfinished_, shown);
  unfinished_.clear();
  return shown;
}

void LineLedger::take_line(std::string_view line, std::string& shown) {
  const uint64_t key = std::hash<std::string_view>()(line);
  const auto again = to_come_again_.find(key);
  if (again != to_come_again_.end() && again->second > 0) {
    --again->second;
    return;
  }
  ++shown_[key];
  shown += line;
}

}  // namespace plz
