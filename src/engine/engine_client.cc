#include "engine/engine_client.h"

#include <thread>

#include "engine/engine_connections.h"
#include "engine/engine_json.h"
#include "engine/engine_streams.h"

namespace plz {
namespace {

using std::chrono::seconds;

// Of questions that an engine answers from memory.
constexpr seconds kQuick{60};
constexpr int kFirstMinorWithDevices = 50;  // DiscoveredDevices of /info
constexpr int kRemovalTries = 3;
constexpr std::chrono::milliseconds kRemovalPause{50};

std::string container_path(const std::string& id, const char* what) { return "/containers/" + path_part(id) + what; }

}  // namespace

EngineClient::EngineClient(EngineSettings settings) : state_(new State{EngineConnections(std::move(settings))}) {}
EngineClient::~EngineClient() = default;

const EngineSettings& EngineClient::settings() const { return state_->connections.settings(); }

Result<EngineVersion> EngineClient::version() {
  PLZ_ASSIGN(std::string body, state_->connections.call({.path = "/version", .patience = kQuick}));
  return engine_json::read_version(body);
}

Result<EngineVersion> EngineClient::ping() { return state_->connections.ping({}); }

Result<EngineInfo> EngineClient::info() {
  PLZ_ASSIGN(std::string body,
             state_->connections.call({.path = "/info", .patience = kQuick, .newest_minor = kFirstMinorWithDevices}));
  return engine_json::read_info(body);
}

Result<std::string> EngineClient::create_container(const std::string& name, const JsonText& body,
                                                   const std::string& platform) {
  PLZ_ASSIGN(std::string answer, state_->connections.call({.method = "POST",
                                                           .path = "/containers/create",
                                                           .query = {{"name", name}, {"platform", platform}},
                                                           .body = body.text}));
  return engine_json::read_created(answer);
}

Result<void> EngineClient::start_container(const std::string& id) {
  // A container that runs already answers 304.
  PLZ_TRY(state_->connections.call({.method = "POST", .path = container_path(id, "/start"), .idempotent = true}));
  return {};
}

Result<std::optional<ContainerState>> EngineClient::inspect_container(const std::string& id) {
  auto body = state_->connections.call({.path = container_path(id, "/json"), .patience = kQuick});
  if (!body && body.error().code == ErrorCode::not_found) return std::nullopt;
  if (!body) return fail(std::move(body).error());
  PLZ_ASSIGN(ContainerState container, engine_json::read_container(*body));
  return container;
}

Result<int> EngineClient::wait_container(const std::string& id, std::stop_token stop) {
  PLZ_ASSIGN(
      std::string body,
      state_->connections.call(
          {.method = "POST", .path = container_path(id, "/wait"), .patience = kEndless, .idempotent = true}, stop));
  return engine_json::read_exit_status(body);
}

Result<void> EngineClient::kill_container(const std::string& id, const std::string& signal) {
  PLZ_TRY(
      state_->connections.call({.method = "POST", .path = container_path(id, "/kill"), .query = {{"signal", signal}}}));
  return {};
}

Result<void> EngineClient::unpause_container(const std::string& id) {
  PLZ_TRY(state_->connections.call({.method = "POST", .path = container_path(id, "/unpause")}));
  return {};
}

Result<void> EngineClient::remove_container(const std::string& id) {
  for (int tries = 1;; ++tries) {
    auto removed = state_->connections.call({.method = "DELETE",
                                             .path = container_path(id, ""),
                                             .query = {{"force", "1"}, {"v", "1"}},
                                             .idempotent = true});
    if (removed || removed.error().code == ErrorCode::not_found) return {};
    bool under_way = removed.error().code == ErrorCode::conflict &&
                     removed.error().message.find("already in progress") != std::string::npos;
    if (under_way) return {};
    // Podman fails to kill one that ends in that moment.
    if (removed.error().code != ErrorCode::internal || tries == kRemovalTries) return fail(std::move(removed).error());
    std::this_thread::sleep_for(kRemovalPause);
  }
}

Result<std::vector<ContainerSummary>> EngineClient::list_containers(const Labels& labels, bool with_sizes) {
  PLZ_ASSIGN(
      std::string body,
      state_->connections.call(
          {.path = "/containers/json",
           .query = {{"all", "1"}, {"size", with_sizes ? "1" : ""}, {"filters", engine_json::label_filters(labels)}}}));
  return engine_json::read_containers(body);
}

Result<std::vector<ContainerSummary>> EngineClient::list_containers_of(const std::string& image) {
  PLZ_ASSIGN(std::string body,
             state_->connections.call({.path = "/containers/json",
                                       .query = {{"all", "1"}, {"filters", engine_json::ancestor_filter(image)}}}));
  return engine_json::read_containers(body);
}

Result<void> EngineClient::follow_log(const std::string& id,
                                      const std::function<Result<void>(std::string_view)>& receive,
                                      std::stop_token stop) {
  LogFrames frames(receive);
  PLZ_TRY(state_->connections.stream(
      {.path = container_path(id, "/logs"),
       .query = {{"follow", "1"}, {"stdout", "1"}, {"stderr", "1"}},
       .patience = kEndless},
      [&](std::string_view piece) { return frames.feed(piece); }, stop));
  if (!frames.at_boundary()) return fail(ErrorCode::unavailable, "the engine's log ended in the middle of a frame");
  return {};
}

}  // namespace plz
