#include "db/memory/where_match.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace plz {
namespace {

using nlohmann::json;

const json* find(const json& document, const std::vector<std::string>& path) {
  const json* at = &document;
  for (const std::string& name : path) {
    if (!at->is_object()) return nullptr;
    auto it = at->find(name);
    if (it == at->end()) return nullptr;
    at = &*it;
  }
  return at;
}

template <typename T>
bool ordered(WhereOperator op, const T& a, const T& b) {
  switch (op) {
    case WhereOperator::less: return a < b;
    case WhereOperator::less_or_equal: return a <= b;
    case WhereOperator::greater: return a > b;
    case WhereOperator::greater_or_equal: return a >= b;
    case WhereOperator::equal: return a == b;
    default: return false;
  }
}

bool compare(WhereOperator op, const json& found, const WhereValue& value) {
  if (const double* number = std::get_if<double>(&value))
    return found.is_number() && ordered(op, found.get<double>(), *number);
  if (const std::string* text = std::get_if<std::string>(&value)) {
    if (!found.is_string()) return false;
    const auto& string = found.get_ref<const std::string&>();
    return op == WhereOperator::contains ? string.find(*text) != string.npos : ordered(op, string, *text);
  }
  if (op != WhereOperator::equal) return false;
  if (const bool* flag = std::get_if<bool>(&value)) return found.is_boolean() && found.get<bool>() == *flag;
  return found.is_null();
}

bool truthy(const json& found) {
  if (found.is_boolean()) return found.get<bool>();
  if (found.is_number()) return found.get<double>() != 0;
  return !found.is_null();
}

bool test(const WhereNode& node, const json& document) {
  const json* found = find(document, node.path);
  switch (node.op) {
    case WhereOperator::exists: return found != nullptr;
    case WhereOperator::truthy: return found && truthy(*found);
    case WhereOperator::not_equal: return !found || !compare(WhereOperator::equal, *found, node.value);
    default: return found && compare(node.op, *found, node.value);
  }
}

bool fulfils(const WhereNode& node, const json& document) {
  auto child = [&](const WhereNode& each) { return fulfils(each, document); };
  switch (node.kind) {
    case WhereNode::Kind::test: return test(node, document);
    case WhereNode::Kind::all_of: return std::all_of(node.children.begin(), node.children.end(), child);
    case WhereNode::Kind::any_of: return std::any_of(node.children.begin(), node.children.end(), child);
    case WhereNode::Kind::none_of: return std::none_of(node.children.begin(), node.children.end(), child);
  }
  return false;
}

}  // namespace

bool matches_where(const Where& where, std::string_view document) {
  json parsed = json::parse(document, nullptr, /*allow_exceptions=*/false);
  return !parsed.is_discarded() && fulfils(where.root, parsed);
}

}  // namespace plz
