#include "client/api_client.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "client/api_connection.h"
#include "wire/execution_json.h"

namespace plz {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// A log may be silent for days. Peers that are gone are noticed by the connection itself.
constexpr std::chrono::hours kFollowStall{24 * 365};
constexpr std::chrono::minutes kCaptureStall{11};
constexpr std::chrono::hours kCollectionStall{25};
constexpr seconds kLongestWait{600};

std::string execution_target(ExecutionId id, std::string_view what = {}) {
  return fmt::format("/v1/executions/{}{}", id.to_string(), what);
}

std::string logs_target(const LogsRequest& logs) {
  TargetBuilder target(execution_target(logs.id, "/logs"));
  if (logs.from_now) target.add("from", "now");
  else if (!logs.since.empty()) target.add("since", logs.since);
  else target.add("offset", std::to_string(logs.offset));
  target.add("follow", logs.follow ? "1" : "0");
  return target.take();
}

std::optional<uint64_t> log_offset(const Headers& headers) {
  const auto text = headers.find(kLogOffsetHeader);
  if (!text) return std::nullopt;
  uint64_t offset = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), offset);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return offset;
}

std::string list_target(const ListRequest& list) {
  TargetBuilder target("/v1/executions");
  if (list.user) target.add("user", *list.user);
  if (list.project) target.add("project", *list.project);
  if (list.unfinished) target.add("unfinished", "1");
  if (list.cursor) target.add("cursor", list.cursor->to_string());
  return target.add("limit", std::to_string(list.limit)).take();
}

std::string history_target(const HistoryRequest& history) {
  TargetBuilder target("/v1/history");
  if (history.user) target.add("user", *history.user);
  if (history.project) target.add("project", *history.project);
  if (!history.where.empty()) target.add("where", history.where);
  if (history.limit) target.add("limit", std::to_string(*history.limit));
  return target.add("format", history.format).take();
}

}  // namespace

struct ApiClient::State {
  ApiConnection api;
};

ApiClient::ApiClient(Endpoint endpoint, ClientSettings settings) : state_(new State{{std::move(endpoint), settings}}) {}
ApiClient::~ApiClient() = default;
void ApiClient::cancel() { state_->api.cancel(); }

Result<std::string> ApiClient::call(const ClientRequest& request) { return state_->api.call(request); }

Result<Ping> ApiClient::ping(std::chrono::milliseconds timeout) {
  ClientRequest request;
  request.target = "/v1/ping";
  request.stall_timeout = timeout;
  PLZ_ASSIGN(std::string answer, call(request));
  return ping_from_json(answer);
}

Result<void> ApiClient::shut_down(std::string_view reason) {
  return without_answer(state_->api.post_json("/v1/shutdown", reason_to_json(reason)));
}

Result<void> ApiClient::check_resources(const Resources& wanted) {
  auto checked = without_answer(state_->api.post_json("/v1/resource-checks", resources_to_json(wanted)));
  // A controller of an earlier version has nothing to say.
  if (!checked && checked.error().code == ErrorCode::not_found) return {};
  return checked;
}

Result<ExecutionId> ApiClient::submit(const Submission& submission, const std::string& idempotency_key) {
  std::string json = submission_to_json(submission);
  ClientRequest request = json_request("/v1/executions", json);
  request.headers.add("Idempotency-Key", idempotency_key);
  PLZ_ASSIGN(std::string answer, call(request));
  return id_from_json(answer);
}

Result<Execution> ApiClient::execution(ExecutionId id) {
  PLZ_ASSIGN(std::string answer, state_->api.get(execution_target(id)));
  return execution_from_json(answer);
}

Result<Execution> ApiClient::wait(ExecutionId id, seconds at_most) {
  const auto deadline = steady_clock::now() + at_most;
  for (;;) {
    auto left = std::chrono::ceil<seconds>(deadline - steady_clock::now());
    seconds wait = std::clamp(left, seconds(0), kLongestWait);
    ClientRequest request;
    request.target = execution_target(id, fmt::format("?wait={}", wait.count()));
    request.stall_timeout = wait + kLongPollSlack;
    PLZ_ASSIGN(std::string answer, call(request));
    PLZ_ASSIGN(Execution execution, execution_from_json(answer));
    if (execution.state == ExecutionState::finished || wait == left || left <= seconds(0)) return execution;
  }
}

Result<ExecutionId> ApiClient::last(const std::string& user, const std::optional<std::string>& project) {
  TargetBuilder target("/v1/executions/last");
  target.add("user", user);
  if (project) target.add("project", *project);
  PLZ_ASSIGN(std::string answer, state_->api.get(target.take()));
  return id_from_json(answer);
}

Result<ExecutionPage> ApiClient::list(const ListRequest& request) {
  PLZ_ASSIGN(std::string answer, state_->api.get(list_target(request)));
  return execution_page_from_json(answer);
}

Result<ExecutionPage> ApiClient::parts(ExecutionId id, std::optional<ExecutionId> cursor) {
  TargetBuilder target(execution_target(id, "/parts"));
  target.add("brief", "1");
  if (cursor) target.add("cursor", cursor->to_string());
  PLZ_ASSIGN(std::string answer, state_->api.get(target.add("limit", "1000").take()));
  return parts_page_from_json(answer);
}

Result<std::string> ApiClient::attempts_json(ExecutionId id) {
  return state_->api.get(execution_target(id, "/attempts"));
}

Result<void> ApiClient::logs(const LogsRequest& logs, const OnData& on_data, const OnBegin& on_begin) {
  ClientRequest request;
  request.target = logs_target(logs);
  if (on_begin) request.on_head = [&](const Headers& headers) { on_begin(log_offset(headers)); };
  if (logs.follow) request.stall_timeout = kFollowStall;
  return state_->api.stream(request, on_data);
}

Result<std::vector<DamagedLog>> ApiClient::log_damage(ExecutionId id, uint64_t offset) {
  const std::string target = execution_target(id, fmt::format("/log-damage?offset={}", offset));
  ClientRequest request;
  request.target = target;
  request.stall_timeout = kCollectionStall;
  auto answer = call(request);
  if (!answer && answer.error().code == ErrorCode::not_found) return std::vector<DamagedLog>{};
  if (!answer) return fail(std::move(answer).error());
  return log_damage_from_json(*answer);
}

Result<void> ApiClient::preparation_log(ExecutionId id, uint64_t offset, const OnData& on_data) {
  ClientRequest request;
  request.target = execution_target(id, fmt::format("/preparation-log?offset={}&follow=1", offset));
  request.stall_timeout = kFollowStall;
  return state_->api.stream(request, on_data);
}

Result<std::string> ApiClient::measures(ExecutionId id, std::string_view prefix) {
  TargetBuilder target(execution_target(id, "/measures"));
  if (!prefix.empty()) target.add("prefix", prefix);
  return state_->api.get(target.take());
}

Result<void> ApiClient::stop(ExecutionId id, seconds grace) {
  return without_answer(
      state_->api.post_json(execution_target(id, fmt::format("/stop?grace={}", grace.count())), "{}"));
}

Result<CaptureReport> ApiClient::capture_output(ExecutionId id) {
  ClientRequest request = json_request(execution_target(id, "/output-captures"), "");
  request.stall_timeout = kCaptureStall;
  request.idempotent = false;
  PLZ_ASSIGN(std::string answer, call(request));
  return capture_report_from_json(answer);
}

Result<void> ApiClient::remove(ExecutionId id, const std::optional<std::string>& user) {
  TargetBuilder target(execution_target(id));
  if (user) target.add("user", *user);
  const std::string text = target.take();
  ClientRequest request;
  request.method = "DELETE";
  request.target = text;
  return without_answer(call(request));
}

Result<CollectionReport> ApiClient::collect(const CollectionRequest& collection) {
  const std::string body = collection_request_to_json(collection);
  ClientRequest request = json_request("/v1/collections", body);
  request.stall_timeout = kCollectionStall;
  request.idempotent = false;
  PLZ_ASSIGN(std::string answer, call(request));
  return collection_report_from_json(answer);
}

Result<void> ApiClient::check(const CheckRequest& check, const OnData& on_data) {
  const std::string body = check_request_to_json(check);
  ClientRequest request = json_request("/v1/checks", body);
  request.stall_timeout = kCollectionStall;
  return state_->api.stream(request, on_data);
}

Result<void> ApiClient::history(const HistoryRequest& history, const OnData& on_data) {
  ClientRequest request;
  request.target = history_target(history);
  return state_->api.stream(request, on_data);
}

Result<std::vector<Instance>> ApiClient::instances() {
  PLZ_ASSIGN(std::string answer, state_->api.get("/v1/instances"));
  return instances_from_json(answer);
}

Result<KillAnswer> ApiClient::kill(const KillRequest& request) {
  PLZ_ASSIGN(std::string answer, state_->api.post_json("/v1/instances/kill", kill_to_json(request)));
  return kill_answer_from_json(answer);
}

}  // namespace plz
