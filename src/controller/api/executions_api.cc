#include <charconv>
#include <cmath>

#include <fmt/core.h>

#include "controller/api/answers.h"
#include "controller/api/field_rules.h"
#include "controller/api/routes.h"
#include "controller/api/submission_rules.h"
#include "controller/controller.h"
#include "controller/services/log_damage.h"
#include "controller/services/log_follower.h"
#include "controller/services/parts_stream.h"
#include "store/hasher.h"
#include "wire/execution_json.h"
#include "wire/measures_json.h"
#include "wire/worker_api.h"

namespace plz {
namespace {

using std::chrono::seconds;

// What is stored does not say why it waits: that changes with every other execution.
Execution explained(Execution execution, const ControllerContext& context) {
  execution.waiting_for = context.scheduler.explain(execution);
  return execution;
}

Result<void> check_trees(const ExecutionSpec& spec, ControllerContext& context) {
  auto check = [&](const Digest& tree, std::string_view what) -> Result<void> {
    PLZ_ASSIGN(bool present, context.blobs.has(tree));
    if (present) return {};
    return fail(ErrorCode::conflict, fmt::format("the store lacks the {} tree {}", what, tree.hex()),
                "send it first, under a lease");
  };
  PLZ_TRY(check(spec.snapshot.code_tree, "code"));
  if (spec.input) PLZ_TRY(check(spec.input->tree, "input"));
  return {};
}

// The same key with another body is a client's mistake, not a repetition.
Result<IdempotencyKey> idempotency_key_of(const Request& request, std::string_view body) {
  constexpr size_t kMostKeyBytes = 256;
  constexpr std::string_view kHeader = "Idempotency-Key";
  if (request.headers.count(kHeader) > 1)
    return fail(ErrorCode::invalid, "the request has several Idempotency-Key headers");
  auto text = request.headers.find(kHeader);
  if (!text) return IdempotencyKey();
  PLZ_TRY(check_printable(kHeader, *text, kMostKeyBytes));
  return IdempotencyKey(std::string(*text), digest_of(body));
}

Result<Response> submit(Request& request, ControllerContext& context) {
  PLZ_ASSIGN(std::string body, request.body->read_all(kMaxJsonBytes));
  PLZ_ASSIGN(const IdempotencyKey key, idempotency_key_of(request, body));
  PLZ_ASSIGN(Submission submission, submission_from_json(body));
  body = {};
  PLZ_TRY(check_submission(submission));
  if (!submission.wait_anyway) PLZ_TRY(context.capacity.check(submission.spec.resources));
  PLZ_TRY(context.disks.check_room());
  PLZ_TRY(check_trees(submission.spec, context));
  if (!context.settings.embedded) submission.shell_environment.clear(), submission.process_attributes = {};
  PLZ_ASSIGN(ExecutionId id, context.executions.submit(std::move(submission), key));
  return json_answer(id_to_json(id), 201);
}

// What submit() would say, before whoever submits has captured and sent anything.
Result<Response> check_capacity(Request& request, ControllerContext& context) {
  PLZ_ASSIGN(const std::string body, request.body->read_all(kMaxJsonBytes));
  PLZ_ASSIGN(const Resources wanted, resources_from_json(body));
  PLZ_TRY(check_resources(wanted));
  PLZ_TRY(context.capacity.check(wanted));
  return json_answer("{}");
}

Result<Response> get_one(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_ASSIGN(auto wait, query_number(request, "wait", 0, 3'600));
  PLZ_ASSIGN(Execution execution, context.executions.get(id));
  if (!wait || execution.state == ExecutionState::finished)
    return json_answer(execution_to_json(explained(std::move(execution), context)));
  auto text = [&context, id]() -> std::string {
    auto now = context.executions.get(id);
    return now ? execution_to_json(explained(std::move(*now), context)) : "{}";
  };
  DeferredAnswer deferred;
  deferred.attempt = [&context, id, text]() -> std::optional<std::string> {
    if (context.executions.is_unfinished(id)) return std::nullopt;
    return text();
  };
  deferred.last_resort = text;
  deferred.deadline = context.clock.steady() + seconds(*wait);
  deferred.subscribe = [&context, id](std::function<void()> wake) {
    return context.notifier.subscribe(id.uuid(), std::move(wake));
  };
  Response response = json_answer({});
  response.stream = defer(std::move(deferred), context.streams, context.clock, context.timer);
  return response;
}

Result<Response> list(Request& request, ControllerContext& context) {
  ExecutionFilter filter;
  filter.user = query_text(request, "user");
  filter.project = query_text(request, "project");
  filter.unfinished_only = query_flag(request, "unfinished");
  filter.top_level_only = true;
  PLZ_ASSIGN(auto limit, query_number(request, "limit", 1, 1'000));
  std::optional<ExecutionId> before;
  if (auto cursor = query_text(request, "cursor")) {
    before = ExecutionId::parse(*cursor);
    if (!before) return fail(ErrorCode::invalid, "'" + *cursor + "' is not a cursor");
  }
  const auto size = static_cast<size_t>(limit.value_or(100));
  PLZ_ASSIGN(auto records, context.database.executions().list(filter, before, size));
  ExecutionPage page;
  const Outlook outlook = context.scheduler.outlook();
  for (auto& record : records) {
    page.executions.push_back(std::move(record.execution));
    page.executions.back().waiting_for = context.scheduler.explain(page.executions.back(), outlook);
  }
  if (records.size() == size) page.cursor = page.executions.back().id;
  return json_answer(execution_page_to_json(page));
}

Result<Response> last(Request& request, ControllerContext& context) {
  ExecutionFilter filter;
  filter.user = query_text(request, "user");
  filter.project = query_text(request, "project");
  filter.top_level_only = true;
  PLZ_ASSIGN(auto records, context.database.executions().list(filter, std::nullopt, 1));
  if (records.empty())
    return fail(ErrorCode::not_found,
                filter.user ? "user " + *filter.user + " has run nothing here yet" : "nothing was run here yet",
                "plz run -- COMMAND runs something");
  return json_answer(id_to_json(records[0].execution.id));
}

Result<Response> parts(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_ASSIGN(auto limit, query_number(request, "limit", 1, kMostParts));
  PLZ_TRY(context.executions.get(id).map([](const Execution&) {}));
  PartsRequest wanted;
  wanted.composite = id;
  wanted.brief = query_flag(request, "brief");
  if (limit) wanted.limit = static_cast<size_t>(*limit);
  if (auto cursor = query_text(request, "cursor")) {
    auto after = ExecutionId::parse(*cursor);
    auto part = after ? context.executions.get(*after) : fail(ErrorCode::not_found, "");
    if (!part || part->spec.parent_id != id || !part->spec.indices)
      return fail(ErrorCode::invalid, "'" + *cursor + "' is not a cursor");
    wanted.from_index = part->spec.indices->from + 1;
  }
  Response response = json_answer({});
  response.stream = pump(context.streams, stream_parts(context.executions, context.scheduler, wanted));
  return response;
}

Result<Response> attempts(const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_TRY(context.executions.get(id).map([](const Execution&) {}));
  PLZ_ASSIGN(auto list, context.database.executions().attempts(id));
  std::string json = "{\"attempts\": [";
  for (size_t i = 0; i < list.size(); ++i)
    json += fmt::format(
        "{}{{\"attempt_id\": \"{}\", \"instance_id\": \"{}\", \"number\": {}, \"log_bytes\": {}, "
        "\"log_complete\": {}}}",
        i ? ", " : "", list[i].id.to_string(), list[i].instance_id.to_string(), list[i].number, list[i].log_bytes,
        list[i].log_complete);
  return json_answer(json + "]}");
}

Result<LogStart> log_start_of(const Request& request) {
  LogStart start;
  PLZ_ASSIGN(auto offset, query_number(request, "offset", 0, INT64_MAX));
  if (offset) start.offset = static_cast<uint64_t>(*offset);
  if (query_text(request, "from") == "now") start.kind = LogStart::Kind::now;
  auto since = query_text(request, "since");
  if (!since || *since == "start") return start;
  start.kind = LogStart::Kind::time;
  double epoch = 0;
  auto [end, error] = std::from_chars(since->data(), since->data() + since->size(), epoch);
  constexpr double kYear9999 = 253'402'300'799;
  if (error == std::errc() && end == since->data() + since->size() && std::abs(epoch) <= kYear9999) {
    start.time = Timestamp(std::chrono::microseconds(static_cast<int64_t>(epoch * 1e6)));
    return start;
  }
  auto time = parse_rfc3339(*since);
  if (!time)
    return fail(ErrorCode::invalid, fmt::format("'{}' is not a time", *since),
                "give 'start', seconds since the epoch, or a time like 2026-03-01T12:00:00Z");
  start.time = *time;
  return start;
}

Result<Response> log_from(LogStart start, LogKind kind, Request& request, const PathParameters& parameters,
                          ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_ASSIGN(Execution execution, context.executions.get(id));
  const bool follow = query_flag(request, "follow");
  Response response;
  response.headers.add("Content-Type", "application/octet-stream");
  std::unique_ptr<Producer> producer;
  if (execution.spec.is_composite()) {
    std::vector<PartLog> parts;
    Result<void> looked;
    PLZ_TRY(context.executions.each_part(id, std::nullopt, [&](const Execution& part) {
      looked = offset_in_log(part, context.logs, start, kind).map([&](uint64_t offset) {
        parts.push_back({part.id, offset});
      });
      return looked.has_value();
    }));
    PLZ_TRY(looked);
    producer = follow_composite(context.executions, context.logs, context.notifier, id, parts, follow, kind);
  } else {
    PLZ_ASSIGN(const uint64_t offset, offset_in_log(execution, context.logs, start, kind));
    response.headers.add(std::string(kLogOffsetHeader), std::to_string(offset));
    producer = follow_log(context.executions, context.logs, context.notifier, id, offset, follow, kind);
  }
  response.stream = pump(context.streams, std::move(producer));
  return response;
}

Result<Response> logs(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(LogStart start, log_start_of(request));
  return log_from(start, LogKind::job, request, parameters, context);
}

Result<Response> log_damage(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_ASSIGN(const auto offset, query_number(request, "offset", 0, INT64_MAX));
  PLZ_ASSIGN(Execution execution, context.executions.get(id));
  std::vector<DamagedLog> damage;
  Result<void> looked;
  auto look = [&](const Execution& member) {
    auto found =
        look_at_log(context.executions, context.logs, member, LogKind::job, static_cast<uint64_t>(offset.value_or(0)));
    if (found) damage.insert(damage.end(), found->damage.begin(), found->damage.end());
    else looked = fail(std::move(found).error());
    return looked.has_value() && damage.size() < kMostDamage;
  };
  if (execution.spec.is_composite()) PLZ_TRY(context.executions.each_part(id, std::nullopt, look));
  else look(execution);
  PLZ_TRY(looked);
  return json_answer(log_damage_to_json(damage));
}

Result<Response> preparation_log(Request& request, const PathParameters& parameters, ControllerContext& context) {
  LogStart start;
  PLZ_ASSIGN(auto offset, query_number(request, "offset", 0, INT64_MAX));
  if (offset) start.offset = static_cast<uint64_t>(*offset);
  return log_from(start, LogKind::preparation, request, parameters, context);
}

Result<Response> measures(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_ASSIGN(Execution execution, context.executions.get(id));
  return json_answer(context.executions.measures_json(execution, query_text(request, "prefix").value_or("")));
}

Result<Response> measure_events(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_ASSIGN(auto after, query_number(request, "after", 0, INT64_MAX));
  PLZ_ASSIGN(auto limit, query_number(request, "limit", 1, 100'000));
  PLZ_ASSIGN(Execution execution, context.executions.get(id));
  if (!execution.attempt_id) return json_answer(measure_events_to_json({}));
  PLZ_ASSIGN(auto events, context.database.measures().events(*execution.attempt_id, query_text(request, "path"),
                                                             static_cast<uint64_t>(after.value_or(0)),
                                                             static_cast<size_t>(limit.value_or(1'000))));
  return json_answer(measure_events_to_json(events));
}

Result<Response> stop(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_ASSIGN(auto grace, query_number(request, "grace", 0, 86'400));
  PLZ_ASSIGN(auto in_hand, context.executions.request_stop(id));
  for (const auto& execution : in_hand) context.workers.order_stop(execution, seconds(grace.value_or(10)));
  return json_answer("{}", 202);
}

// Filled by the worker's answer, emptied by the stream.
struct CaptureSlot {
  std::mutex mutex;
  std::optional<std::string> answer;
  std::function<void()> wake;
};

Result<Response> capture_output(const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_ASSIGN(Execution execution, context.executions.get(id));
  auto slot = std::make_shared<CaptureSlot>();
  PLZ_TRY(context.workers.order_capture(execution, [slot](CaptureReport report) {
    std::function<void()> wake;
    {
      std::lock_guard lock(slot->mutex);
      slot->answer = capture_report_to_json(report);
      wake = slot->wake;
    }
    if (wake) wake();
  }));
  DeferredAnswer deferred;
  deferred.attempt = [slot]() {
    std::lock_guard lock(slot->mutex);
    return slot->answer;
  };
  deferred.last_resort = [] {
    CaptureReport report;
    report.error = "the worker has not answered within ten minutes";
    return capture_report_to_json(report);
  };
  deferred.deadline = context.clock.steady() + std::chrono::minutes(10);
  deferred.subscribe = [slot](std::function<void()> wake) {
    std::lock_guard lock(slot->mutex);
    slot->wake = std::move(wake);
    return std::shared_ptr<void>();
  };
  Response response = json_answer({});
  response.stream = defer(std::move(deferred), context.streams, context.clock, context.timer);
  return response;
}

}  // namespace

void add_execution_routes(Router& router, ControllerContext& context) {
  auto add = [&](std::string method, std::string_view pattern, auto handler) {
    router.add(std::move(method), pattern, [&context, handler](Request& request, const PathParameters& parameters) {
      return answer(request, [&] { return handler(request, parameters, context); });
    });
  };
  using P = const PathParameters&;
  using C = ControllerContext&;
  add("POST", "/v1/executions", [](Request& r, P, C c) { return submit(r, c); });
  add("POST", "/v1/resource-checks", [](Request& r, P, C c) { return check_capacity(r, c); });
  add("GET", "/v1/executions", [](Request& r, P, C c) { return list(r, c); });
  add("GET", "/v1/executions/last", [](Request& r, P, C c) { return last(r, c); });
  add("GET", "/v1/executions/{id}", get_one);
  add("GET", "/v1/executions/{id}/parts", parts);
  add("GET", "/v1/executions/{id}/attempts", [](Request&, P p, C c) { return attempts(p, c); });
  add("GET", "/v1/executions/{id}/logs", logs);
  add("GET", "/v1/executions/{id}/log-damage", log_damage);
  add("GET", "/v1/executions/{id}/preparation-log", preparation_log);
  add("GET", "/v1/executions/{id}/measures", measures);
  add("GET", "/v1/executions/{id}/measures/events", measure_events);
  add("POST", "/v1/executions/{id}/stop", stop);
  add("POST", "/v1/executions/{id}/output-captures", [](Request&, P p, C c) { return capture_output(p, c); });
}

}  // namespace plz
