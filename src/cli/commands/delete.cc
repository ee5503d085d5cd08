#include <unistd.h>

#include <iostream>
#include <string>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/exact_bytes.h"

namespace plz {
namespace {

// All of them, before the first is deleted; the controller checks again.
Result<void> check(const Execution& execution, const Session& session, const DeleteOptions& options) {
  const std::string id = execution.id.to_string();
  if (execution.spec.parent_id) {
    const std::string whole = execution.spec.parent_id->to_string();
    return fail(ErrorCode::conflict, fmt::format("the execution {} is a part of {}", id, whole),
                fmt::format("a composite is deleted as a whole: plz delete {}", whole));
  }
  if (execution.state != ExecutionState::finished)
    return fail(ErrorCode::conflict,
                fmt::format("the execution {} has not finished: it is {}", id, to_string(execution.state)),
                fmt::format("end it first: plz stop {}", id));
  if (options.all_users || execution.spec.user == session.configuration().user) return {};
  return fail(ErrorCode::conflict, fmt::format("the execution {} is {}'s", id, printable(execution.spec.user)),
              "--all-users deletes it all the same");
}

Result<void> ask(Session& session, size_t count) {
  session.messages().plain(
      fmt::format("This deletes {}, with logs, measures and what plz knows of the output, for good. Type yes to go on:",
                  count == 1 ? "the execution" : fmt::format("{} executions", count)));
  std::string answer;
  std::getline(std::cin, answer);
  if (trim(answer) == "yes") return {};
  return fail(ErrorCode::cancelled, "nothing was deleted", "--yes does not ask");
}

Result<void> remove(Session& session, const Execution& execution, const DeleteOptions& options) {
  std::optional<std::string> user;
  if (!options.all_users) user = session.configuration().user;
  auto removed = session.call([&](ApiClient& api) { return api.remove(execution.id, user); });
  // It was there just now: an earlier try has done it.
  if (!removed && removed.error().code != ErrorCode::not_found) return removed;
  auto written = session.out().write(execution.id.to_string() + "\n");
  if (!written)
    written.error().hint = fmt::format("{} was deleted, and what was named after it was not", execution.id.to_string());
  return written;
}

void tell_what_gc_would_free(Session& session) {
  // Nobody waits for the end of a collection to be told this.
  const CollectionRequest request{.dry_run = true, .environments = false, .wait = false};
  auto report = session.call([&](ApiClient& api) { return api.collect(request); });
  if (!report || !report->error.empty()) return session.messages().info("plz gc frees what they alone needed");
  session.messages().info(fmt::format("plz gc would free {} of the store now", exact_bytes(report->bytes)));
}

}  // namespace

Result<int> perform(Session& session, const DeleteOptions& options) {
  std::vector<Execution> executions;
  for (const ExecutionId& id : options.executions) {
    PLZ_ASSIGN(Execution execution, session.execution(id));
    PLZ_TRY(check(execution, session, options));
    executions.push_back(std::move(execution));
  }
  if (!options.yes && isatty(STDIN_FILENO)) PLZ_TRY(ask(session, executions.size()));
  for (const Execution& execution : executions) PLZ_TRY(remove(session, execution, options));
  tell_what_gc_would_free(session);
  return 0;
}

}  // namespace plz
