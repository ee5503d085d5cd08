// Answers that several resources give.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/execution.h"
#include "net/http_types.h"
#include "net/problem.h"
#include "net/router.h"

namespace plz {

Response json_answer(std::string body, int status = 200);
Response no_content();

// A handler's body written as a function that may fail: the error becomes a problem.
template <typename Function>
Response answer(const Request& request, Function function) {
  Result<Response> result = function();
  if (result) return std::move(*result);
  return problem_response(result.error(), request.id);
}

// Path and query parameters, each with an error that names it.
template <typename Id>
Result<Id> id_parameter(const PathParameters& parameters, std::string_view name) {
  auto found = parameters.find(name);
  auto id = found == parameters.end() ? std::nullopt : Id::parse(found->second);
  if (!id)
    return fail(ErrorCode::invalid, "'" + (found == parameters.end() ? std::string() : found->second) +
                                        "' is not an id: 36 characters, like 019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11");
  return *id;
}
std::optional<std::string> query_text(const Request& request, std::string_view name);
Result<std::optional<int64_t>> query_number(const Request& request, std::string_view name, int64_t least, int64_t most);
bool query_flag(const Request& request, std::string_view name);  // present, and not 0 or false

// At most this much JSON is taken in one request.
inline constexpr size_t kMaxJsonBytes = 256u << 20;

}  // namespace plz
