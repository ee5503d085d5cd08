// Rows of named cells, as columns of text or as CSV.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plz {

// A column appears where its first row that has it put it: first the columns given, then others in
// the order met. Cells that a row lacks are empty.
class Table {
 public:
  using Row = std::vector<std::pair<std::string, std::string>>;  // column, cell

  explicit Table(const std::vector<std::string>& columns = {});
  void add(const Row& row);
  bool empty() const { return rows_.empty(); }

  // Aligned, with a line of headings; control characters are made visible, long cells are cut to
  // `widest` characters.
  std::string as_text(size_t widest = 60) const;
  // RFC 4180, but lines end in \n.
  std::string as_csv() const;

 private:
  size_t column(const std::string& name);
  std::vector<std::vector<std::string>> all_rows() const;

  std::vector<std::string> columns_;
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace plz
