#include "cli/commands/composite.h"

#include <iterator>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/execution_report.h"
#include "wire/execution_json.h"
#include "wire/json_text.h"

namespace plz {

namespace {

using OnPage = std::function<Result<void>(std::vector<Execution>& parts)>;

Result<void> each_page(Session& session, ExecutionId composite, const OnPage& on_page) {
  std::optional<ExecutionId> cursor;
  do {
    PLZ_ASSIGN(ExecutionPage page, session.call([&](ApiClient& api) { return api.parts(composite, cursor); }));
    PLZ_TRY(on_page(page.executions));
    cursor = page.cursor;
  } while (cursor);
  return {};
}

// Of a document that ends with "parts": []}.
constexpr std::string_view kEndOfParts = "]}";

}  // namespace

Result<std::vector<Execution>> parts_of(Session& session, ExecutionId composite) {
  std::vector<Execution> all;
  PLZ_TRY(each_page(session, composite, [&](std::vector<Execution>& parts) -> Result<void> {
    std::move(parts.begin(), parts.end(), std::back_inserter(all));
    return {};
  }));
  return all;
}

Result<void> each_part_of(Session& session, const Execution& composite, const OnPart& on_part) {
  ExecutionSpec spec = composite.spec;
  return each_page(session, composite.id, [&](std::vector<Execution>& parts) -> Result<void> {
    for (Execution& part : parts) {
      restrict_to_part(spec, composite.id, part.spec.indices.value_or(IndexRange{}));
      // One spec serves them all, in turn.
      std::swap(part.spec, spec);
      PLZ_TRY(on_part(part));
      std::swap(part.spec, spec);
    }
    return {};
  });
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

Result<void> print_composite_json(Session& session, const Execution& composite, bool indented) {
  std::string head = merge_json_objects(execution_to_json(composite), "{\"parts\": []}");
  head.resize(head.size() - kEndOfParts.size());
  if (indented) {
    head = indent_json(head + std::string(kEndOfParts));
    head.resize(head.size() - kEndOfParts.size() - 1);  // and the line's end between them
  }
  PLZ_TRY(session.out().write(head));
  bool is_first = true;
  PLZ_TRY(each_part_of(session, composite, [&](const Execution& part) -> Result<void> {
    std::string text = is_first ? "" : indented ? "," : ", ";
    is_first = false;
    const std::string json = execution_to_json(part);
    if (!indented) return session.out().write(text + json);
    const std::string lines = indent_json(json);
    for (std::string_view line : split(lines, '\n')) text += "\n    " + std::string(line);
    return session.out().write(text);
  }));
  if (indented) return session.out().write(is_first ? "]\n}\n" : "\n  ]\n}\n");
  return session.out().write("]}\n");
}

}  // namespace plz
