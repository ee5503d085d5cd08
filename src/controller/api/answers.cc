#include "controller/api/answers.h"

#include <charconv>

#include <fmt/core.h>

namespace plz {

Response json_answer(std::string body, int status) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

std::optional<std::string> query_text(const Request& request, std::string_view name) {
  auto found = request.target.query.find(name);
  if (found == request.target.query.end()) return std::nullopt;
  return found->second;
}

Result<std::optional<int64_t>> query_number(const Request& request, std::string_view name, int64_t least,
                                            int64_t most) {
  auto text = query_text(request, name);
  if (!text) return std::optional<int64_t>();
  int64_t value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < least || value > most)
    return fail(ErrorCode::invalid,
                fmt::format("?{}= must be a whole number from {} to {}, not '{}'", name, least, most, *text));
  return std::optional(value);
}

bool query_flag(const Request& request, std::string_view name) {
  auto text = query_text(request, name);
  return text && *text != "0" && *text != "false";
}

}  // namespace plz
