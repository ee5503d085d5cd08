#include "controller/controller.h"

#include <fmt/core.h>

#include "base/patience.h"
#include "controller/api/query_rules.h"
#include "controller/api/routes.h"
#include "net/problem.h"
#include "net/status.h"

namespace plz {
namespace {

constexpr std::chrono::seconds kBetweenLooksAtDisks{5};

}  // namespace

ControllerContext::ControllerContext(ControllerSettings given, const Clock& the_clock, Database& the_database,
                                     PackStore& the_packs, LogStore& the_logs, Provider& provider)
    : settings(std::move(given)),
      clock(the_clock),
      started(the_clock.now()),
      database(the_database),
      packs(the_packs),
      logs(the_logs),
      events(notifier, clock),
      executions(database, notifier, events, clock),
      blobs(database.blobs(), packs, clock),
      workers(database, executions, notifier, events, clock, settings.images_repository),
      capacity(provider, workers, settings.embedded),
      disks(settings.directories),
      reports(database, executions, workers, blobs, logs, notifier, clock),
      scheduler(executions, workers, disks, notifier, clock),
      collector(database, packs, executions, blobs, workers, clock) {}

Controller::Controller(ControllerSettings settings, const Clock& clock, Database& database, PackStore& packs,
                       LogStore& logs, Provider& provider)
    : context_(std::move(settings), clock, database, packs, logs, provider),
      keeper_(provider, context_.executions, context_.workers, clock, context_.settings.version),
      last_request_(clock.steady().time_since_epoch().count()) {
  keeper_.tell_obstacles_to([this](const std::string& words) { context_.scheduler.set_obstacle(words); });
  add_routes(router_, context_);
}

Controller::~Controller() {
  stop();
  context_.streams.stop();
}

Result<void> Controller::load() {
  PLZ_TRY(context_.blobs.sweep());
  PLZ_TRY(context_.executions.load());
  return context_.workers.load();
}

void Controller::start(bool keep_instances) {
  context_.streams.post([] {});  // one thread at least is there whenever it is needed: else all ends here, with words
  context_.scheduler.start();
  if (!keep_instances) return;
  context_.capacity.provider_is_used();
  keeper_.start();
}

void Controller::stop() {
  keeper_.stop();
  context_.scheduler.stop();
  context_.collector.stop();
}

Response Controller::handle(Request& request) {
  const auto& owner = context_.settings.owner_uid;
  if (owner && request.peer.uid && *request.peer.uid != *owner && *request.peer.uid != 0)
    return problem_response(
        403, Error{ErrorCode::invalid, fmt::format("this controller belongs to user {}", *owner), {}}, request.id);
  if (!is_worker_request(request)) last_request_ = context_.clock.steady().time_since_epoch().count();
  auto query = check_query(request.target);
  Response response = query ? router_.handle(request) : problem_response(query.error(), request.id);
  if (response.status == http_status(ErrorCode::unavailable))
    response = with_what_is_full(std::move(response), request);
  response.headers.add("Plz-Version", context_.settings.version);
  return response;
}

// A disk that is full is met in many places, and each says only what it could not do.
Response Controller::with_what_is_full(Response response, const Request& request) const {
  const Error error = error_from_response(ClientResponse{response.status, {}, response.body});
  if (error.message.find(kNoRoom) != std::string::npos) return response;
  return problem_response(context_.disks.explained(error), request.id);
}

void Controller::tick() {
  const SteadyTime now = context_.clock.steady();
  context_.timer.tick(now);
  if (now < next_look_at_disks_) return;
  next_look_at_disks_ = now + kBetweenLooksAtDisks;
  context_.disks.hold_reserve();
}

std::chrono::milliseconds Controller::idle_for() const {
  if (context_.executions.unfinished() > 0 || context_.collector.is_running()) return std::chrono::milliseconds(0);
  auto last = SteadyTime(SteadyTime::duration(last_request_.load()));
  return std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.steady() - last);
}

}  // namespace plz
