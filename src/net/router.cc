#include "net/router.h"

#include <set>

#include <fmt/core.h>

#include "base/text.h"
#include "net/problem.h"

namespace plz {
namespace {

std::vector<std::string_view> segments_of(std::string_view path) {
  if (!path.empty()) path.remove_prefix(1);
  return split(path, '/');
}

Response method_not_allowed(const Request& request, const std::set<std::string>& allowed) {
  std::string list;
  for (const auto& method : allowed) list += (list.empty() ? "" : ", ") + method;
  Error error{ErrorCode::invalid, fmt::format("{} does not take {}", request.target.path, request.method),
              fmt::format("it takes {}", list)};
  Response response = problem_response(405, error, request.id);
  response.headers.add("Allow", list);
  return response;
}

}  // namespace

std::vector<Router::Segment> Router::parse_pattern(std::string_view pattern) {
  std::vector<Segment> segments;
  for (auto text : segments_of(pattern)) {
    bool is_parameter = text.starts_with('{') && text.ends_with('}');
    segments.push_back({is_parameter, std::string(is_parameter ? text.substr(1, text.size() - 2) : text)});
  }
  return segments;
}

void Router::add(std::string method, std::string_view pattern, Handler handler) {
  routes_.push_back({std::move(method), parse_pattern(pattern), std::move(handler)});
}

bool Router::matches(const Route& route, const std::vector<std::string_view>& path) {
  if (route.segments.size() != path.size()) return false;
  for (size_t i = 0; i < path.size(); ++i) {
    const Segment& segment = route.segments[i];
    if (segment.is_parameter ? path[i].empty() : segment.text != path[i]) return false;
  }
  return true;
}

bool Router::is_more_literal(const Route& a, const Route& b) {
  for (size_t i = 0; i < a.segments.size(); ++i)
    if (a.segments[i].is_parameter != b.segments[i].is_parameter) return b.segments[i].is_parameter;
  return false;
}

Response Router::handle(Request& request) const {
  auto path = segments_of(request.target.path);
  const Route* best = nullptr;
  std::set<std::string> allowed;
  for (const Route& route : routes_) {
    if (!matches(route, path)) continue;
    allowed.insert(route.method);
    if (route.method == "GET") allowed.insert("HEAD");
    bool serves = route.method == request.method || (request.method == "HEAD" && route.method == "GET");
    if (!serves) continue;
    // A handler for HEAD itself wins over GET's.
    bool better =
        !best || is_more_literal(route, *best) || (!is_more_literal(*best, route) && route.method == request.method);
    if (better) best = &route;
  }
  if (!best && allowed.empty())
    return problem_response({ErrorCode::not_found, fmt::format("there is no {}", request.target.path), {}}, request.id);
  if (!best) return method_not_allowed(request, allowed);
  PathParameters parameters;
  for (size_t i = 0; i < path.size(); ++i)
    if (best->segments[i].is_parameter) parameters.emplace(best->segments[i].text, path[i]);
  return best->handler(request, parameters);
}

}  // namespace plz
