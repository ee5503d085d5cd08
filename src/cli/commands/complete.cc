#include "cli/commands/commands.h"

namespace plz {
namespace {

constexpr uint64_t kMostIds = 50;

}  // namespace

// What the completion scripts ask. It must not disturb a prompt: whoever has no controller running
// gets no ids, and no controller.
Result<int> perform(Session& session, const CompleteOptions& options) {
  if (options.what != "ids" || session.controller_needs_start()) return 0;
  ListRequest request;
  request.user = session.configuration().user;
  request.limit = kMostIds;
  PLZ_ASSIGN(const ExecutionPage page, session.call([&](ApiClient& api) { return api.list(request); }));
  std::string ids;
  for (const Execution& execution : page.executions) ids += execution.id.to_string() + "\n";
  PLZ_TRY(session.out().write(ids));
  return 0;
}

}  // namespace plz
