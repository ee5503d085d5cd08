#include "cli/part_outputs.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "cli/execution_report.h"
#include "store/materialise.h"

namespace plz {
namespace {

std::optional<int64_t> parse_index(std::string_view name) {
  int64_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return index;
}

}  // namespace

Result<std::vector<IndexOutput>> index_outputs(const Execution& part, BlobSource& blobs) {
  std::vector<IndexOutput> outputs;
  if (!part.output_tree) return outputs;
  PLZ_ASSIGN(Tree tree, fetch_tree(*part.output_tree, blobs));
  for (TreeEntry& entry : tree.entries) {
    const auto index = parse_index(entry.name);
    if (index && entry.kind == EntryKind::directory) outputs.push_back({*index, std::move(entry)});
  }
  std::sort(outputs.begin(), outputs.end(),
            [](const IndexOutput& a, const IndexOutput& b) { return a.index < b.index; });
  return outputs;
}

Result<Tree> join_part_outputs(const std::vector<Execution>& parts, BlobSource& blobs) {
  Tree joined;
  for (const Execution& part : parts) {
    PLZ_ASSIGN(auto outputs, index_outputs(part, blobs));
    for (IndexOutput& output : outputs) {
      output.entry.name = part_directory(output.index);
      joined.entries.push_back(std::move(output.entry));
    }
  }
  std::sort(joined.entries.begin(), joined.entries.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.name < b.name; });
  return joined;
}

}  // namespace plz
