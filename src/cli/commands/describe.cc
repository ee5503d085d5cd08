#include "cli/commands/commands.h"
#include "cli/commands/composite.h"
#include "wire/execution_json.h"
#include "wire/json_text.h"

namespace plz {
namespace {

Result<std::string> document_of(Session& session, const Execution& execution) {
  PLZ_ASSIGN(const std::string measures, session.call([&](ApiClient& api) { return api.measures(execution.id); }));
  return execution_document(execution, measures);
}

}  // namespace

Result<int> perform(Session& session, const DescribeOptions& options) {
  PLZ_ASSIGN(const Execution execution, session.execution(options.execution));
  if (!execution.spec.is_composite()) {
    PLZ_ASSIGN(const std::string document, document_of(session, execution));
    PLZ_TRY(session.out().write((options.json ? document : indent_json(document)) + "\n"));
    return 0;
  }
  PLZ_ASSIGN(const auto parts, parts_of(session, execution));
  if (options.json) {
    PLZ_TRY(session.out().write(composite_json(execution, parts) + "\n"));
    return 0;
  }
  for (const Execution& part : parts) {
    PLZ_ASSIGN(const std::string document, document_of(session, part));
    PLZ_TRY(session.out().write(prefixed_for_indices(part, indent_json(document))));
  }
  return 0;
}

}  // namespace plz
