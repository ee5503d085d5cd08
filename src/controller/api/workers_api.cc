#include <fmt/core.h>

#include "controller/api/answers.h"
#include "controller/api/routes.h"
#include "controller/api/worker_rules.h"
#include "controller/controller.h"
#include "wire/collection_json.h"
#include "wire/measures_json.h"
#include "wire/worker_api.h"

namespace plz {
namespace {

constexpr size_t kLogPieceBytes = 64u << 10;

Result<Response> register_worker(Request& request, ControllerContext& context) {
  PLZ_ASSIGN(std::string body, request.body->read_all(kMaxJsonBytes));
  PLZ_ASSIGN(auto registration, registration_from_json(body));
  PLZ_TRY(check_registration(registration));
  PLZ_ASSIGN(auto registered, context.workers.register_worker(registration));
  return json_answer(registered_to_json(registered));
}

Result<Response> poll(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(InstanceId id, id_parameter<InstanceId>(parameters, "id"));
  PLZ_ASSIGN(auto wait, query_number(request, "wait", 0, 600));
  PLZ_ASSIGN(uint64_t registration, context.workers.registration_of(id));
  PLZ_ASSIGN(auto orders, context.workers.take_orders(id, registration));
  if (orders) return json_answer(orders_to_json(*orders));
  DeferredAnswer deferred;
  deferred.attempt = [&context, id, registration]() -> std::optional<std::string> {
    auto taken = context.workers.take_orders(id, registration);
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

Uuid job_log_of(AttemptId id) { return id.uuid(); }

// No log is begun for an attempt that does not exist.
Result<AttemptId> attempt_parameter(const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(AttemptId id, id_parameter<AttemptId>(parameters, "id"));
  PLZ_TRY(context.executions.attempt(id));
  return id;
}

Result<Response> log_size(const PathParameters& parameters, ControllerContext& context, Uuid (*log_of)(AttemptId)) {
  PLZ_ASSIGN(AttemptId id, attempt_parameter(parameters, context));
  PLZ_ASSIGN(LogState state, context.logs.state(log_of(id)));
  return json_answer(log_size_to_json(state.bytes));
}

Result<Response> append_log(Request& request, const PathParameters& parameters, ControllerContext& context,
                            Uuid (*log_of)(AttemptId)) {
  PLZ_TRY(id_parameter<AttemptId>(parameters, "id"));
  PLZ_ASSIGN(auto offset, query_number(request, "offset", 0, INT64_MAX));
  PLZ_ASSIGN(auto time, query_number(request, "time", 0, INT64_MAX));
  if (!offset) return fail(ErrorCode::invalid, "?offset= is missing");
  PLZ_ASSIGN(AttemptId id, attempt_parameter(parameters, context));
  const Uuid log = log_of(id);
  PLZ_TRY(context.disks.check_room());
  PLZ_ASSIGN(LogState state, context.logs.state(log));
  auto at = static_cast<uint64_t>(*offset);
  if (at > state.bytes || state.sealed) return json_answer(log_size_to_json(state.bytes), 409);
  if (time) PLZ_TRY(context.logs.add_marks(log, {{Timestamp(std::chrono::microseconds(*time)), at}}));
  std::string buffer(kLogPieceBytes, '\0');
  for (;;) {
    PLZ_ASSIGN(size_t size, request.body->read(buffer.data(), buffer.size()));
    if (size == 0) break;
    PLZ_ASSIGN(state, context.logs.append(log, at, std::string_view(buffer.data(), size)));
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
  add("POST", "/v1/workers/{id}/collections/{request}", [](Request& r, P p, C c) -> Result<Response> {
    PLZ_TRY(id_parameter<InstanceId>(p, "id"));
    PLZ_ASSIGN(std::string body, r.body->read_all(kMaxJsonBytes));
    PLZ_ASSIGN(WorkerCollection collection, worker_collection_from_json(body));
    PLZ_TRY(check_collection(collection));
    c.workers.answer_collection(p.find("request")->second, std::move(collection));
    return json_answer("{}");
  });
  add("GET", "/v1/attempts/{id}/log", [](Request&, P p, C c) { return log_size(p, c, job_log_of); });
  add("PUT", "/v1/attempts/{id}/log", [](Request& r, P p, C c) { return append_log(r, p, c, job_log_of); });
  add("GET", "/v1/attempts/{id}/preparation-log",
      [](Request&, P p, C c) { return log_size(p, c, preparation_log_of); });
  add("PUT", "/v1/attempts/{id}/preparation-log",
      [](Request& r, P p, C c) { return append_log(r, p, c, preparation_log_of); });
  // What a worker tells of an attempt: read, and handed on.
  auto add_report = [&](const char* method, std::string_view pattern, auto parse, auto check, auto hand_on,
                        bool is_end = false) {
    add(method, pattern, [parse, check, hand_on, is_end](Request& r, P p, C c) -> Result<Response> {
      PLZ_ASSIGN(AttemptId id, id_parameter<AttemptId>(p, "id"));
      PLZ_ASSIGN(std::string body, r.body->read_all(kMaxJsonBytes));
      PLZ_ASSIGN(auto report, parse(body));
      PLZ_TRY(check(report));
      auto handed_on = hand_on(c.reports, id, report);
      // An end waits for no room: some is held for it.
      if (!handed_on && is_end && handed_on.error().code == ErrorCode::unavailable && c.disks.release_reserve())
        handed_on = hand_on(c.reports, id, report);
      PLZ_TRY(handed_on);
      return json_answer("{}");
    });
  };
  using R = AttemptReports&;
  add_report("POST", "/v1/attempts/{id}/started", moment_from_json, check_moment,
             [](R r, AttemptId id, const AttemptMoment& moment) { return r.started(id, moment); });
  add_report("POST", "/v1/attempts/{id}/command-ended", moment_from_json, check_moment,
             [](R r, AttemptId id, const AttemptMoment& moment) { return r.command_ended(id, moment.time); });
  add_report("POST", "/v1/attempts/{id}/waiting", waiting_from_json, check_waiting,
             [](R r, AttemptId id, const std::string& waiting_for) { return r.waiting(id, waiting_for); });
  add_report("POST", "/v1/attempts/{id}/measures", measure_events_from_json, check_measures,
             [](R r, AttemptId id, const auto& events) { return r.measures(id, events); });
  add_report(
      "POST", "/v1/attempts/{id}/finish", finish_from_json, check_finish,
      [](R r, AttemptId id, const FinishReport& report) { return r.finish(id, report); }, true);
  add("POST", "/v1/attempts/{id}/output-captures/{request}", [](Request& r, P p, C c) -> Result<Response> {
    PLZ_TRY(id_parameter<AttemptId>(p, "id"));
    PLZ_ASSIGN(std::string body, r.body->read_all(kMaxJsonBytes));
    PLZ_ASSIGN(CaptureReport report, capture_report_from_json(body));
    PLZ_TRY(check_capture(report));
    auto stored = c.reports.check_output(report.output_tree);
    // Whoever waits for it is told as well.
    if (!stored) report = {std::nullopt, 0, stored.error().message};
    c.workers.answer_capture(p.find("request")->second, std::move(report));
    PLZ_TRY(stored);
    return json_answer("{}");
  });
}

}  // namespace plz
