#include "db/sqlite/where_sql.h"

#include <algorithm>
#include <charconv>

namespace plz {
namespace {

// SQLite compares a path's names with the document's raw text, and knows no escapes in paths. Names
// for which that makes a difference are looked up by json_each(), which is slower.
bool is_plain(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '/';
  });
}

std::string shortest(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

std::string symbol_of(WhereOperator op) {
  switch (op) {
    case WhereOperator::less: return "<";
    case WhereOperator::less_or_equal: return "<=";
    case WhereOperator::greater: return ">";
    default: return ">=";
  }
}

// true < false and null >= null are false, as all comparisons are that have no meaning.
bool has_meaning(const WhereNode& node) {
  bool number = std::holds_alternative<double>(node.value), text = std::holds_alternative<std::string>(node.value);
  switch (node.op) {
    case WhereOperator::less:
    case WhereOperator::less_or_equal:
    case WhereOperator::greater:
    case WhereOperator::greater_or_equal: return number || text;
    case WhereOperator::contains: return text;
    default: return true;
  }
}

std::string when(const std::string& condition, const std::string& then) {
  return "CASE WHEN " + condition + " THEN " + then + " ELSE 0 END";
}

}  // namespace

WhereSql::WhereSql(const Where& where, const std::string& column, int first_parameter)
    : column_(column), first_parameter_(first_parameter) {
  std::string condition = node(where.root);
  expression_ = when("json_valid(" + column_ + ")", condition);
}

void WhereSql::bind(Statement& statement) const {
  int at = first_parameter_;
  for (const std::string& parameter : parameters_) statement.bind_at(at++, parameter);
}

std::string WhereSql::node(const WhereNode& node) {
  if (node.kind == WhereNode::Kind::test) return "(" + test(node) + ")";
  const char* joint = node.kind == WhereNode::Kind::any_of ? " OR " : " AND ";
  std::string all;
  for (const WhereNode& child : node.children) all += (all.empty() ? "" : joint) + this->node(child);
  return (node.kind == WhereNode::Kind::none_of ? "NOT (" : "(") + all + ")";
}

std::string WhereSql::test(const WhereNode& node) {
  if (!has_meaning(node)) return "0";
  Access at = access(node.path);
  switch (node.op) {
    case WhereOperator::exists: return at.type + " IS NOT NULL";
    case WhereOperator::truthy:
      return "CASE WHEN " + at.type + " IN ('integer', 'real') THEN " + at.value + " <> 0 WHEN " + at.type +
             " IS NULL THEN 0 ELSE " + at.type + " NOT IN ('false', 'null') END";
    case WhereOperator::equal: return equal(at, node.value);
    case WhereOperator::not_equal: return "NOT (" + equal(at, node.value) + ")";
    case WhereOperator::contains:
      return when(at.type + " = 'text'",
                  "instr(" + at.value + ", " + text_parameter(std::get<std::string>(node.value)) + ") > 0");
    default: return compare(at, symbol_of(node.op), node.value);
  }
}

std::string WhereSql::equal(const Access& at, const WhereValue& value) {
  if (std::holds_alternative<std::nullptr_t>(value)) return at.type + " IS 'null'";
  if (const bool* flag = std::get_if<bool>(&value)) return at.type + (*flag ? " IS 'true'" : " IS 'false'");
  return compare(at, "=", value);
}

// Numbers go in as text, so that SQLite reads them with the same routine as the document's: then 0.1
// equals 0.1 whatever that routine does to the last bit.
std::string WhereSql::compare(const Access& at, const std::string& symbol, const WhereValue& value) {
  if (const double* number = std::get_if<double>(&value))
    return when(at.type + " IN ('integer', 'real')", "CAST(" + at.value + " AS REAL) " + symbol + " CAST(" +
                                                         text_parameter(shortest(*number)) + " AS REAL)");
  return when(at.type + " = 'text'", at.value + " " + symbol + " " + text_parameter(std::get<std::string>(value)));
}

WhereSql::Access WhereSql::access(const std::vector<std::string>& path) {
  if (!std::all_of(path.begin(), path.end(), is_plain)) return access_by_rows(path);
  std::string json_path = "$";
  for (const std::string& name : path) json_path += ".\"" + name + "\"";
  std::string arguments = "(" + column_ + ", " + text_parameter(std::move(json_path)) + ")";
  return {"json_type" + arguments, "json_extract" + arguments};
}

WhereSql::Access WhereSql::access_by_rows(const std::vector<std::string>& path) {
  std::string from, where, document = column_;
  for (size_t i = 0; i < path.size(); ++i) {
    std::string row = "j" + std::to_string(i);
    if (i > 0) {
      from += " CROSS JOIN ";
      where += " AND j" + std::to_string(i - 1) + ".type = 'object' AND ";
    }
    from += "json_each(" + document + ") " + row;
    where += row + ".key = " + text_parameter(path[i]);
    document = row + ".value";
  }
  std::string last = "j" + std::to_string(path.size() - 1);
  auto select = [&](const std::string& what) {
    return "(SELECT " + last + "." + what + " FROM " + from + " WHERE " + where + " LIMIT 1)";
  };
  return {select("type"), select("value")};
}

std::string WhereSql::text_parameter(std::string text) {
  parameters_.push_back(std::move(text));
  return "?" + std::to_string(first_parameter_ + static_cast<int>(parameters_.size()) - 1);
}

}  // namespace plz
