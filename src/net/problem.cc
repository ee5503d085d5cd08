#include "net/problem.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "net/status.h"

namespace plz {
namespace {

std::string json_safe(std::string_view text) { return is_valid_utf8(text) ? std::string(text) : printable(text); }

std::optional<ErrorCode> parse_code(std::string_view name) {
  for (ErrorCode code :
       {ErrorCode::invalid, ErrorCode::not_found, ErrorCode::conflict, ErrorCode::unavailable, ErrorCode::timeout,
        ErrorCode::cancelled, ErrorCode::internal, ErrorCode::damaged, ErrorCode::never_met})
    if (to_string(code) == name) return code;
  return std::nullopt;
}

std::string string_member(const nlohmann::json& object, const char* key) {
  auto member = object.find(key);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace

Response problem_response(const Error& error, std::string_view request_id) {
  return problem_response(http_status(error.code), error, request_id);
}

Response problem_response(int status, const Error& error, std::string_view request_id) {
  nlohmann::ordered_json problem;
  problem["type"] = "about:blank";
  problem["title"] = reason_phrase(status);
  problem["status"] = status;
  problem["code"] = to_string(error.code);
  problem["detail"] = json_safe(error.message);
  if (!error.hint.empty()) problem["hint"] = json_safe(error.hint);
  problem["request_id"] = json_safe(request_id);
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/problem+json");
  if (status == 503) response.headers.add("Retry-After", "1");
  response.body = problem.dump() + "\n";
  return response;
}

Error error_from_response(const ClientResponse& response) {
  Error error{error_code_of_status(response.status), {}, {}};
  auto problem = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (problem.is_object()) {
    error.message = string_member(problem, "detail");
    error.hint = string_member(problem, "hint");
    if (auto code = parse_code(string_member(problem, "code"))) error.code = *code;
  }
  if (!error.message.empty()) return error;
  error.message = fmt::format("the server answered {} {}", response.status, reason_phrase(response.status));
  if (auto text = trim(response.body); !text.empty()) error.message += ": " + printable(text.substr(0, 200));
  return error;
}

}  // namespace plz
