#include "controller/collection/references.h"

#include <string_view>

namespace plz {
namespace {

constexpr size_t kHexDigits = 2 * Digest::kBytes;

void add_named_blobs(std::string_view json, std::vector<Digest>& blobs) {
  for (size_t quote = json.find('"'); quote != std::string_view::npos; quote = json.find('"', quote + 1)) {
    const size_t end = quote + 1 + kHexDigits;
    if (end >= json.size()) return;
    if (json[end] != '"') continue;
    if (auto digest = Digest::parse(json.substr(quote + 1, kHexDigits))) blobs.push_back(*digest);
  }
}

}  // namespace

void add_references(const Execution& execution, References& references) {
  const ExecutionSpec& spec = execution.spec;
  // What a part was asked for is what the whole was, which goes no sooner.
  if (!spec.parent_id) {
    references.trees.push_back(spec.snapshot.code_tree);
    if (spec.input) references.trees.push_back(spec.input->tree);
    add_named_blobs(spec.metadata.text, references.blobs);
    if (spec.snapshot.environment.pinned) references.images.insert(spec.snapshot.environment.pinned->id);
  }
  if (execution.output_tree) references.trees.push_back(*execution.output_tree);
  const bool is_open = execution.state != ExecutionState::finished;
  if (execution.attempt_id && (is_open || has_kept_output(execution)))
    references.attempts.insert(*execution.attempt_id);
  if (execution.image) references.images.insert(execution.image->id);
}

}  // namespace plz
