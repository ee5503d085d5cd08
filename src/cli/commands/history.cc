#include "base/patience.h"
#include "cli/commands/commands.h"
#include "cli/history_table.h"
#include "cli/where_names.h"
#include "model/where.h"

namespace plz {
namespace {

HistoryRequest history_request(const Session& session, const HistoryOptions& options) {
  HistoryRequest request;
  if (!options.all) {
    request.user = session.configuration().user;
    request.project = session.configuration().project;
  }
  request.where = options.where;
  request.limit = options.limit;
  request.format = options.format == HistoryFormat::json ? "json" : "jsonl";
  return request;
}

// A piece that was written cannot be taken back: only an attempt that brought nothing is repeated.
Result<void> stream(Session& session, const HistoryRequest& request, const ApiClient::OnData& on_data) {
  bool begun = false;
  auto counted = [&](std::string_view piece) {
    begun = true;
    return on_data(piece);
  };
  PLZ_ASSIGN(ApiClient * api, session.api());
  auto done = api->history(request, counted);
  if (done || begun || !is_temporary(done.error().code)) return done;
  session.forget_connection();
  PLZ_ASSIGN(api, session.api());
  return api->history(request, on_data);
}

}  // namespace

Result<int> perform(Session& session, const HistoryOptions& options) {
  if (!options.where.empty()) {
    PLZ_ASSIGN(const Where where, parse_where(options.where));
    for (const auto& doubt : unknown_names_in(where)) session.messages().warning(doubt);
  }
  const HistoryRequest request = history_request(session, options);
  if (options.format == HistoryFormat::json || options.format == HistoryFormat::jsonl) {
    PLZ_TRY(stream(session, request, [&](std::string_view piece) { return session.out().write(piece); }));
    return 0;
  }
  HistoryTable history;
  PLZ_TRY(stream(session, request, [&](std::string_view piece) -> Result<void> {
    history.feed(piece);
    return {};
  }));
  PLZ_TRY(
      session.out().write(options.format == HistoryFormat::csv ? history.table().as_csv() : history.table().as_text()));
  return 0;
}

}  // namespace plz
