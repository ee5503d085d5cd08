#include "cli/table.h"

#include <algorithm>

#include "base/text.h"

namespace plz {
namespace {

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

std::string cut(std::string text, size_t widest) {
  if (width_of(text) <= widest) return text;
  size_t at = 0;
  for (size_t characters = 0; at < text.size(); ++at)
    if (!continues_character(text[at]) && ++characters == widest) break;
  return text.substr(0, at) + "…";
}

std::string csv_cell(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (char c : cell) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

}  // namespace

Table::Table(const std::vector<std::string>& columns) {
  for (const auto& name : columns) column(name);
}

size_t Table::column(const std::string& name) {
  const auto [position, fresh] = index_.try_emplace(name, columns_.size());
  if (fresh) columns_.push_back(name);
  return position->second;
}

void Table::add(const Row& row) {
  std::vector<std::string>& cells = rows_.emplace_back();
  for (const auto& [name, cell] : row) {
    const size_t at = column(name);
    if (cells.size() <= at) cells.resize(at + 1);
    cells[at] = cell;
  }
}

std::vector<std::vector<std::string>> Table::all_rows() const {
  std::vector<std::vector<std::string>> all = {columns_};
  all.insert(all.end(), rows_.begin(), rows_.end());
  for (auto& row : all) row.resize(columns_.size());
  return all;
}

std::string Table::as_text(size_t widest) const {
  auto rows = all_rows();
  std::vector<size_t> widths(columns_.size());
  for (auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = cut(printable(row[i]), widest);
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string Table::as_csv() const {
  std::string text;
  for (const auto& row : all_rows()) {
    for (size_t i = 0; i < row.size(); ++i) text += (i ? "," : "") + csv_cell(row[i]);
    text += '\n';
  }
  return text;
}

}  // namespace plz
