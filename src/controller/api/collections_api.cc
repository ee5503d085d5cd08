#include "controller/api/answers.h"
#include "controller/api/routes.h"
#include "controller/controller.h"
#include "controller/services/store_check.h"
#include "wire/check_json.h"
#include "wire/collection_json.h"

namespace plz {
namespace {

// Filled by the collection's end, emptied by the stream.
struct ReportSlot {
  std::mutex mutex;
  std::optional<std::string> answer;
  std::function<void()> wake;

  void fill(const CollectionReport& report) {
    std::function<void()> to_call;
    {
      std::lock_guard lock(mutex);
      answer = collection_report_to_json(report);
      to_call = wake;
    }
    if (to_call) to_call();
  }
};

Result<Response> collect(Request& request, ControllerContext& context) {
  PLZ_ASSIGN(std::string body, request.body->read_all(kMaxJsonBytes));
  PLZ_ASSIGN(CollectionRequest wanted, collection_request_from_json(body));
  auto slot = std::make_shared<ReportSlot>();
  PLZ_TRY(context.collector.start(wanted, [slot](const CollectionReport& report) { slot->fill(report); }));
  DeferredAnswer deferred;
  deferred.attempt = [slot]() {
    std::lock_guard lock(slot->mutex);
    return slot->answer;
  };
  deferred.last_resort = [wanted] {
    CollectionReport report;
    report.dry_run = wanted.dry_run;
    report.error = "the collection has not ended within a day";
    return collection_report_to_json(report);
  };
  deferred.deadline = context.clock.steady() + std::chrono::hours(24);
  deferred.subscribe = [slot](std::function<void()> wake) {
    std::lock_guard lock(slot->mutex);
    slot->wake = std::move(wake);
    return std::shared_ptr<void>();
  };
  Response response = json_answer({});
  response.stream = defer(std::move(deferred), context.streams, context.clock, context.timer);
  return response;
}

Result<Response> check(Request& request, ControllerContext& context) {
  PLZ_ASSIGN(std::string body, request.body->read_all(kMaxJsonBytes));
  PLZ_ASSIGN(const CheckRequest wanted, check_request_from_json(body));
  Response response;
  response.headers.add("Content-Type", "application/x-ndjson");
  response.stream = pump(
      context.streams,
      std::make_unique<StoreCheck>(context.database, context.packs, context.executions, context.logs, wanted.repair));
  return response;
}

Result<Response> remove_execution(Request& request, const PathParameters& parameters, ControllerContext& context) {
  PLZ_ASSIGN(ExecutionId id, id_parameter<ExecutionId>(parameters, "id"));
  PLZ_ASSIGN(const Execution execution, context.executions.get(id));
  const auto user = query_text(request, "user");
  if (user && *user != execution.spec.user)
    return fail(ErrorCode::conflict, "execution " + id.to_string() + " is " + execution.spec.user + "'s",
                "--all-users deletes it all the same");
  std::vector<Execution> with_kept_output;
  if (has_kept_output(execution)) with_kept_output.push_back(execution);
  PLZ_TRY(context.executions.each_part(id, std::nullopt, [&](const Execution& part) {
    if (has_kept_output(part)) with_kept_output.push_back(part);
    return true;
  }));
  PLZ_TRY(context.executions.remove(id, context.logs));
  context.workers.order_removal_of_outputs(with_kept_output);
  return no_content();
}

}  // namespace

void add_collection_routes(Router& router, ControllerContext& context) {
  router.add("POST", "/v1/collections", [&context](Request& request, const PathParameters&) {
    return answer(request, [&] { return collect(request, context); });
  });
  router.add("POST", "/v1/checks", [&context](Request& request, const PathParameters&) {
    return answer(request, [&] { return check(request, context); });
  });
  router.add("DELETE", "/v1/executions/{id}", [&context](Request& request, const PathParameters& parameters) {
    return answer(request, [&] { return remove_execution(request, parameters, context); });
  });
}

}  // namespace plz
