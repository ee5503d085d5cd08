#include <charconv>

#include <fmt/core.h>

#include "cli/commands/commands.h"
#include "cli/commands/composite.h"
#include "cli/json_view.h"
#include "wire/execution_json.h"
#include "wire/json_text.h"

namespace plz {
namespace {

Result<std::string> document_of(Session& session, const Execution& execution) {
  PLZ_ASSIGN(const std::string measures, session.call([&](ApiClient& api) { return api.measures(execution.id); }));
  return execution_document(execution, measures);
}

// From the measures of all, which are an object from index to measures: their parts follow each other in it.
class MeasuresOfParts {
 public:
  explicit MeasuresOfParts(std::string_view measures) : members_(json_members(measures)) {}

  std::string of(IndexRange indices) {
    std::string json = "{";
    for (; next_ < members_.size() && index_of(next_) < indices.to; ++next_) {
      if (index_of(next_) < indices.from) continue;
      json += fmt::format("{}{}: {}", json.size() > 1 ? ", " : "", quote_json(members_[next_].first),
                          members_[next_].second);
    }
    return json + "}";
  }

 private:
  int64_t index_of(size_t member) const {
    const std::string& name = members_[member].first;
    int64_t index = 0;
    std::from_chars(name.data(), name.data() + name.size(), index);
    return index;
  }

  std::vector<std::pair<std::string, std::string_view>> members_;
  size_t next_ = 0;
};

Result<void> describe_parts(Session& session, const Execution& composite) {
  PLZ_ASSIGN(const std::string text, session.call([&](ApiClient& api) { return api.measures(composite.id); }));
  MeasuresOfParts measures(text);
  return each_part_of(session, composite, [&](const Execution& part) -> Result<void> {
    const std::string own = measures.of(part.spec.indices.value_or(IndexRange{}));
    return session.out().write(prefixed_for_indices(part, indent_json(execution_document(part, own))));
  });
}

}  // namespace

Result<int> perform(Session& session, const DescribeOptions& options) {
  PLZ_ASSIGN(const Execution execution, session.execution(options.execution));
  if (!execution.spec.is_composite()) {
    PLZ_ASSIGN(const std::string document, document_of(session, execution));
    PLZ_TRY(session.out().write((options.json ? document : indent_json(document)) + "\n"));
    return 0;
  }
  if (options.json) {
    PLZ_TRY(print_composite_json(session, execution, false));
    return 0;
  }
  PLZ_TRY(describe_parts(session, execution));
  return 0;
}

}  // namespace plz
