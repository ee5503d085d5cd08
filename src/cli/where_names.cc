#include "cli/where_names.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "base/nearest.h"
#include "base/text.h"
#include "cli/json_view.h"
#include "wire/execution_json.h"

namespace plz {
namespace {

void add_first_names(const WhereNode& node, std::set<std::string>& names) {
  if (node.kind == WhereNode::Kind::test) names.insert(node.path.front());
  for (const auto& child : node.children) add_first_names(child, names);
}

}  // namespace

std::vector<std::string> unknown_names_in(const Where& where) {
  const std::string document = execution_document(Execution(), "{}");
  const auto members = json_members(document);
  std::vector<std::string_view> known;
  for (const auto& [name, value] : members) known.push_back(name);
  std::set<std::string> asked;
  add_first_names(where.root, asked);
  std::vector<std::string> sentences;
  for (const auto& name : asked) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto nearest = nearest_name(name, known);
    sentences.push_back(
        fmt::format("no execution has \"{}\": {}", printable(name),
                    nearest ? fmt::format("did you mean {}?", *nearest) : "`plz describe` shows what they have"));
  }
  return sentences;
}

}  // namespace plz
