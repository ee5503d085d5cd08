#include "cli/history_table.h"

#include "cli/json_view.h"

namespace plz {
namespace {

const std::vector<std::string> kColumns = {"execution_id", "submitted", "user",        "project",
                                           "state",        "outcome",   "exit_status", "running_seconds"};

void flatten(const std::string& name, std::string_view value, Table::Row& row) {
  if (!is_json_object(value)) {
    row.emplace_back(name, json_plain(value));
    return;
  }
  for (const auto& [member, text] : json_members(value)) flatten(name + "." + member, text, row);
}

std::string plain_at(std::string_view document, const std::vector<std::string_view>& path) {
  const auto value = json_find(document, path);
  return !value || *value == "null" ? "" : json_plain(*value);
}

}  // namespace

HistoryTable::HistoryTable() : table_(kColumns) {}

void HistoryTable::feed(std::string_view piece) {
  size_t end;
  while ((end = piece.find('\n')) != std::string_view::npos) {
    unfinished_line_ += piece.substr(0, end);
    if (!unfinished_line_.empty()) table_.add(history_row(unfinished_line_));
    unfinished_line_.clear();
    piece.remove_prefix(end + 1);
  }
  unfinished_line_ += piece;
}

Table::Row history_row(std::string_view document) {
  Table::Row row = {{"execution_id", plain_at(document, {"execution_id"})},
                    {"submitted", plain_at(document, {"times", "submitted"})},
                    {"user", plain_at(document, {"user"})},
                    {"project", plain_at(document, {"project"})},
                    {"state", plain_at(document, {"state"})},
                    {"outcome", plain_at(document, {"outcome", "kind"})},
                    {"exit_status", plain_at(document, {"exit_status"})},
                    {"running_seconds", plain_at(document, {"durations", "running"})}};
  if (auto parameters = json_find(document, {"parameters"})) flatten("parameters", *parameters, row);
  if (auto summary = json_find(document, {"measures", "summary"})) flatten("measures.summary", *summary, row);
  return row;
}

}  // namespace plz
