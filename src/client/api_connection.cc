#include "client/api_connection.h"

#include "net/problem.h"

namespace plz {
namespace {

bool is_success(const ClientResponse& response) { return response.status >= 200 && response.status < 300; }

}  // namespace

Result<std::string> ApiConnection::call(const ClientRequest& request) {
  PLZ_ASSIGN(ClientResponse response, http_.call(request));
  if (!is_success(response)) return fail(error_from_response(response));
  return std::move(response.body);
}

Result<void> ApiConnection::stream(const ClientRequest& request, const HttpClient::OnData& on_data) {
  PLZ_ASSIGN(ClientResponse response, http_.stream(request, on_data));
  if (!is_success(response)) return fail(error_from_response(response));
  return {};
}

Result<std::string> ApiConnection::get(std::string target) {
  ClientRequest request;
  request.target = std::move(target);
  return call(request);
}

Result<std::string> ApiConnection::post_json(std::string target, std::string_view json) {
  return call(json_request(std::move(target), json));
}

ClientRequest json_request(std::string target, std::string_view json) {
  ClientRequest request;
  request.method = "POST";
  request.target = std::move(target);
  request.headers.add("Content-Type", "application/json");
  request.body = json;
  return request;
}

TargetBuilder& TargetBuilder::add(std::string_view name, std::string_view value) {
  target_ += std::exchange(has_query_, true) ? '&' : '?';
  target_ += name;
  target_ += '=';
  target_ += percent_encode(value);
  return *this;
}

Result<void> without_answer(Result<std::string> answer) {
  if (!answer) return fail(std::move(answer).error());
  return {};
}

}  // namespace plz
