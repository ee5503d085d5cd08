#include <fmt/core.h>

#include "controller/api/answers.h"
#include "controller/api/routes.h"
#include "controller/controller.h"
#include "wire/measures_json.h"
#include "wire/worker_api.h"

namespace plz {
namespace {

constexpr size_t kLogPieceBytes = 256u << 10;

Result<Response> register_worker(Request& request, ControllerContext& context) {
  PLZ_ASSIGN(std::string body, request.body->read_all(kMaxJsonBytes));
  PLZ_ASSIGN(auto registration, registration_from_json(body));
  PLZ_ASSIGN(auto registered, context.workers.register_worker(registration));
  return json_answer(registered_to_json(registered));
}

Result<Response> poll(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(InstanceId id, id_parameter<InstanceId>(parameters, "id"));
  PLZ_ASSIGN(auto wait, query_number(request, "wait", 0, 600));
  PLZ_ASSIGN(auto orders, context.workers.take_orders(id));
  if (orders) return json_answer(orders_to_json(*orders));
  DeferredAnswer deferred;
  deferred.attempt = [&context, id]() -> std::optional<std::string> {
    auto taken = context.workers.take_orders(id);
    if (!taken) return orders_to_json({});  // the next poll says what is wrong
    if (!*taken) return std::nullopt;
    return orders_to_json(**taken);
  };
  deferred.last_resort = [] { return orders_to_json({}); };
  deferred.deadline = context.clock.steady() + std::chrono::seconds(wait.value_or(30));
  deferred.subscribe = [&context, id](std::function<void()> wake) {
    return context.notifier.subscribe(id.uuid(), std::move(wake));
  };
  Response response = json_answer({});
  response.stream = defer(std::move(deferred), context.streams, context.clock, context.timer);
  return response;
}

Result<Response> log_size(const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(AttemptId id, id_parameter<AttemptId>(parameters, "id"));
  PLZ_ASSIGN(LogState state, context.logs.state(id.uuid()));
  return json_answer(log_size_to_json(state.bytes));
}

Result<Response> append_log(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(AttemptId id, id_parameter<AttemptId>(parameters, "id"));
  PLZ_ASSIGN(auto offset, query_number(request, "offset", 0, INT64_MAX));
  PLZ_ASSIGN(auto time, query_number(request, "time", 0, INT64_MAX));
  if (!offset) return fail(ErrorCode::invalid, "?offset= is missing");
  PLZ_ASSIGN(LogState state, context.logs.state(id.uuid()));
  auto at = static_cast<uint64_t>(*offset);
  if (at > state.bytes || state.sealed) return json_answer(log_size_to_json(state.bytes), 409);
  if (time) PLZ_TRY(context.logs.add_marks(id.uuid(), {{Timestamp(std::chrono::microseconds(*time)), at}}));
  std::string buffer(kLogPieceBytes, '\0');
  for (;;) {
    PLZ_ASSIGN(size_t size, request.body->read(buffer.data(), buffer.size()));
    if (size == 0) break;
    PLZ_ASSIGN(state, context.logs.append(id.uuid(), at, std::string_view(buffer.data(), size)));
    at += size;
  }
  return json_answer(log_size_to_json(state.bytes));
}

}  // namespace

void add_worker_routes(Router& router, ControllerContext& context) {
  auto add = [&](std::string method, std::string_view pattern, auto handler) {
    router.add(std::move(method), pattern, [&context, handler](Request& request, const PathParameters& parameters) {
      return answer(request, [&]() -> Result<Response> { return handler(request, parameters, context); });
    });
  };
  using P = const PathParameters&;
  using C = ControllerContext&;
  add("POST", "/v1/workers", [](Request& r, P, C c) { return register_worker(r, c); });
  add("POST", "/v1/workers/{id}/poll", poll);
  add("GET", "/v1/attempts/{id}/log", [](Request&, P p, C c) { return log_size(p, c); });
  add("PUT", "/v1/attempts/{id}/log", append_log);
  add("POST", "/v1/attempts/{id}/started", [](Request& r, P p, C c) -> Result<Response> {
    PLZ_ASSIGN(AttemptId id, id_parameter<AttemptId>(p, "id"));
    PLZ_ASSIGN(std::string body, r.body->read_all(kMaxJsonBytes));
    PLZ_ASSIGN(AttemptMoment moment, moment_from_json(body));
    PLZ_TRY(c.workers.started(id, moment.time));
    return json_answer("{}");
  });
  add("POST", "/v1/attempts/{id}/command-ended", [](Request& r, P p, C c) -> Result<Response> {
    PLZ_ASSIGN(AttemptId id, id_parameter<AttemptId>(p, "id"));
    PLZ_ASSIGN(std::string body, r.body->read_all(kMaxJsonBytes));
    PLZ_ASSIGN(AttemptMoment moment, moment_from_json(body));
    PLZ_TRY(c.workers.command_ended(id, moment.time));
    return json_answer("{}");
  });
  add("POST", "/v1/attempts/{id}/measures", [](Request& r, P p, C c) -> Result<Response> {
    PLZ_ASSIGN(AttemptId id, id_parameter<AttemptId>(p, "id"));
    PLZ_ASSIGN(std::string body, r.body->read_all(kMaxJsonBytes));
    PLZ_ASSIGN(auto events, measure_events_from_json(body));
    PLZ_TRY(c.workers.measures(id, events));
    return json_answer("{}");
  });
  add("POST", "/v1/attempts/{id}/finish", [](Request& r, P p, C c) -> Result<Response> {
    PLZ_ASSIGN(AttemptId id, id_parameter<AttemptId>(p, "id"));
    PLZ_ASSIGN(std::string body, r.body->read_all(kMaxJsonBytes));
    PLZ_ASSIGN(FinishReport report, finish_from_json(body));
    PLZ_TRY(c.workers.finish(id, report));
    return json_answer("{}");
  });
  add("POST", "/v1/attempts/{id}/output-captures/{request}", [](Request& r, P p, C c) -> Result<Response> {
    PLZ_ASSIGN(std::string body, r.body->read_all(kMaxJsonBytes));
    PLZ_ASSIGN(CaptureReport report, capture_report_from_json(body));
    c.workers.answer_capture(p.find("request")->second, std::move(report));
    return json_answer("{}");
  });
}

}  // namespace plz
