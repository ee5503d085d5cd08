#include "client/worker_client.h"

#include <fmt/core.h>

#include "client/api_connection.h"
#include "net/problem.h"
#include "wire/measures_json.h"

namespace plz {
namespace {

std::string attempt_target(AttemptId attempt, std::string_view what) {
  return fmt::format("/v1/attempts/{}/{}", attempt.to_string(), what);
}

std::string_view name_of(AttemptLog log) { return log == AttemptLog::job ? "log" : "preparation-log"; }

}  // namespace

struct WorkerClient::State {
  ApiConnection api;
  Result<void> post(std::string target, std::string_view json) {
    return without_answer(api.post_json(std::move(target), json));
  }
};

WorkerClient::WorkerClient(Endpoint endpoint, ClientSettings settings)
    : state_(new State{{std::move(endpoint), settings}}) {}
WorkerClient::~WorkerClient() = default;
void WorkerClient::cancel() { state_->api.cancel(); }

Result<WorkerRegistered> WorkerClient::register_worker(const WorkerRegistration& registration) {
  PLZ_ASSIGN(std::string answer, state_->api.post_json("/v1/workers", registration_to_json(registration)));
  return registered_from_json(answer);
}

Result<WorkerOrders> WorkerClient::poll(InstanceId instance, std::chrono::seconds wait) {
  auto request = json_request(fmt::format("/v1/workers/{}/poll?wait={}", instance.to_string(), wait.count()), "");
  request.stall_timeout = wait + kLongPollSlack;
  request.idempotent = false;
  PLZ_ASSIGN(std::string answer, state_->api.call(request));
  return orders_from_json(answer);
}

Result<void> WorkerClient::started(AttemptId attempt, const AttemptMoment& moment) {
  return state_->post(attempt_target(attempt, "started"), moment_to_json(moment));
}

Result<uint64_t> WorkerClient::log_size(AttemptId attempt, AttemptLog log) {
  PLZ_ASSIGN(std::string answer, state_->api.get(attempt_target(attempt, name_of(log))));
  return log_size_from_json(answer);
}

Result<uint64_t> WorkerClient::append_log(AttemptId attempt, AttemptLog log, uint64_t offset, Timestamp time,
                                          std::string_view bytes) {
  ClientRequest request;
  request.method = "PUT";
  request.target = fmt::format("{}?offset={}&time={}", attempt_target(attempt, name_of(log)), offset,
                               time.time_since_epoch().count());
  request.headers.add("Content-Type", "application/octet-stream");
  request.body = bytes;
  PLZ_ASSIGN(ClientResponse response, state_->api.raw(request));
  if (response.status == 409) {
    // A wrong offset is no failure: the answer tells the right one, or can be asked for.
    auto size = log_size_from_json(response.body);
    return size ? std::move(size) : log_size(attempt, log);
  }
  if (response.status < 200 || response.status > 299) return fail(error_from_response(response));
  return log_size_from_json(response.body);
}

Result<void> WorkerClient::measures(AttemptId attempt, const std::vector<MeasureEvent>& events) {
  return state_->post(attempt_target(attempt, "measures"), measure_events_to_json(events));
}

Result<void> WorkerClient::command_ended(AttemptId attempt, Timestamp time) {
  return state_->post(attempt_target(attempt, "command-ended"), moment_to_json({time}));
}

Result<void> WorkerClient::waiting(AttemptId attempt, const std::string& waiting_for) {
  return state_->post(attempt_target(attempt, "waiting"), waiting_to_json(waiting_for));
}

Result<void> WorkerClient::finish(AttemptId attempt, const FinishReport& report) {
  return state_->post(attempt_target(attempt, "finish"), finish_to_json(report));
}

Result<void> WorkerClient::output_captured(AttemptId attempt, std::string_view request_id,
                                           const CaptureReport& report) {
  return state_->post(attempt_target(attempt, "output-captures/" + percent_encode(request_id)),
                      capture_report_to_json(report));
}

Result<void> WorkerClient::collected(InstanceId instance, std::string_view request_id,
                                     const WorkerCollection& collection) {
  return state_->post(fmt::format("/v1/workers/{}/collections/{}", instance.to_string(), percent_encode(request_id)),
                      worker_collection_to_json(collection));
}

}  // namespace plz
