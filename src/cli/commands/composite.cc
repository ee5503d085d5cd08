#include "cli/commands/composite.h"

#include <algorithm>

#include "base/text.h"
#include "cli/execution_report.h"
#include "wire/execution_json.h"
#include "wire/json_text.h"

namespace plz {

Result<std::vector<Execution>> parts_of(Session& session, const Execution& composite) {
  PLZ_ASSIGN(auto parts, session.call([&](ApiClient& api) { return api.parts(composite.id); }));
  std::sort(parts.begin(), parts.end(), [](const Execution& a, const Execution& b) {
    return a.spec.indices.value_or(IndexRange{}).from < b.spec.indices.value_or(IndexRange{}).from;
  });
  return parts;
}

std::string prefix_lines(int64_t index, std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::string prefixed;
  for (std::string_view line : split(text, '\n')) {
    prefixed += part_prefix(index);
    prefixed += line;
    prefixed += '\n';
  }
  return prefixed;
}

std::string prefixed_for_indices(const Execution& part, std::string_view text) {
  std::string prefixed;
  const IndexRange indices = part.spec.indices.value_or(IndexRange{});
  for (int64_t index = indices.from; index < indices.to; ++index) prefixed += prefix_lines(index, text);
  return prefixed;
}

std::string composite_json(const Execution& composite, const std::vector<Execution>& parts) {
  std::string list = "[";
  for (const Execution& part : parts) list += (list.size() > 1 ? ", " : "") + execution_to_json(part);
  return merge_json_objects(execution_to_json(composite), "{\"parts\": " + list + "]}");
}

}  // namespace plz
