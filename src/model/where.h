// The language of `plz history --where`:
//
//   where   = or
//   or      = and ("or" and)*
//   and     = not ("and" not)*
//   not     = "not" not | "(" or ")" | test
//   test    = path op value | path "exists" | path            (bare path: exists and is not false, null, 0)
//   path    = name ("." name)*         a name: letters, digits, _ and -, or a "quoted string"
//   op      = "<" "<=" ">" ">=" "=" "==" "!=" "~"             (~: text contains)
//   value   = JSON number, "string", 'string', true, false, null, or a bare word (a string)
//
// Paths lead into the document that history shows: parameters.lr, measures.summary.accuracy, user.
// A comparison between different types, or with something absent, is false (!= is true). null counts as
// absent for `exists`, and is equal to null alone. Numbers compare by their exact value, whatever their
// length. A measure's NaN and Infinity are strings in the document, and compare as these.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/json_number.h"

namespace plz {

enum class WhereOperator { less, less_or_equal, greater, greater_or_equal, equal, not_equal, contains, exists, truthy };

using WhereValue = std::variant<std::nullptr_t, bool, JsonNumber, std::string>;

struct WhereNode {
  enum class Kind { test, all_of, any_of, none_of };
  Kind kind = Kind::test;
  std::vector<WhereNode> children;  // all_of, any_of; none_of: one
  std::vector<std::string> path;    // test
  WhereOperator op = WhereOperator::truthy;
  WhereValue value = nullptr;
};

struct Where {
  WhereNode root;
};

// invalid, with the column and what was expected there.
Result<Where> parse_where(std::string_view text);

}  // namespace plz
