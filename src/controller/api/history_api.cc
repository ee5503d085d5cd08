#include "controller/api/answers.h"
#include "controller/api/routes.h"
#include "controller/controller.h"
#include "controller/services/history_stream.h"

namespace plz {
namespace {

Result<Response> history(Request& request, ControllerContext& context) {
  HistoryQuery query;
  query.user = query_text(request, "user");
  query.project = query_text(request, "project");
  if (auto text = query_text(request, "where"); text && !text->empty()) {
    PLZ_ASSIGN(query.where, parse_where(*text));
  }
  PLZ_ASSIGN(auto limit, query_number(request, "limit", 0, INT64_MAX));
  if (limit) query.limit = static_cast<size_t>(*limit);
  if (auto before = query_text(request, "before")) {
    query.before = ExecutionId::parse(*before);
    if (!query.before) return fail(ErrorCode::invalid, "'" + *before + "' is not an execution's id");
  }
  const std::string format = query_text(request, "format").value_or("json");
  if (format != "json" && format != "jsonl")
    return fail(ErrorCode::invalid, "'" + format + "' is not a format of history: json and jsonl are");
  PLZ_ASSIGN(auto producer, stream_history(context.database.history(), context.executions, query,
                                           format == "json" ? HistoryFormat::json_object : HistoryFormat::json_lines));
  Response response;
  response.headers.add("Content-Type", format == "json" ? "application/json" : "application/x-ndjson");
  response.stream = pump(context.streams, std::move(producer));
  return response;
}

}  // namespace

void add_history_routes(Router& router, ControllerContext& context) {
  router.add("GET", "/v1/history", [&context](Request& request, const PathParameters&) {
    return answer(request, [&] { return history(request, context); });
  });
}

}  // namespace plz
