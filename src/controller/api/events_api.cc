#include <array>

#include <fmt/core.h>

#include "base/text.h"
#include "controller/api/answers.h"
#include "controller/api/routes.h"
#include "controller/controller.h"

namespace plz {
namespace {

constexpr std::array<std::string_view, 2> kTopics{"executions", "instances"};

Result<Response> events(Request& request, ControllerContext& context) {
  std::set<std::string> topics;
  const std::string wanted = query_text(request, "topics").value_or("");
  for (std::string_view topic : split(wanted, ',')) {
    if (topic.empty()) continue;
    if (std::find(kTopics.begin(), kTopics.end(), topic) == kTopics.end())
      return fail(ErrorCode::invalid,
                  fmt::format("there is no topic '{}': executions and instances are", printable(topic)));
    topics.emplace(topic);
  }
  std::string last_id(request.headers.find("Last-Event-ID").value_or(""));
  if (last_id.empty()) last_id = query_text(request, "last_event_id").value_or("");
  Response response;
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  response.stream = pump(context.streams, context.events.stream(std::move(topics), last_id));
  return response;
}

}  // namespace

void add_event_routes(Router& router, ControllerContext& context) {
  router.add("GET", "/v1/events", [&context](Request& request, const PathParameters&) {
    return answer(request, [&] { return events(request, context); });
  });
}

}  // namespace plz
