// A Where as an SQL expression over a column of JSON text.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "db/sqlite/statement.h"
#include "model/where.h"

namespace plz {

// The expression is never NULL. A document that is not JSON matches nothing.
class WhereSql {
 public:
  // Parameters are numbered from `first_parameter` on.
  WhereSql(const Where& where, const std::string& column, int first_parameter);

  const std::string& expression() const { return expression_; }
  void bind(Statement& statement) const;

 private:
  // How SQL gets at the path's JSON type, and at its value.
  struct Access {
    std::string type, value;
  };

  std::string node(const WhereNode& node);
  std::string test(const WhereNode& node);
  std::string equal(const Access& at, const WhereValue& value);
  std::string compare(const Access& at, const std::string& symbol, const WhereValue& value);
  Access access(const std::vector<std::string>& path);
  Access access_by_rows(const std::vector<std::string>& path);
  std::string text_parameter(std::string text);

  std::string column_, expression_;
  int first_parameter_;
  std::vector<std::string> parameters_;
};

}  // namespace plz
