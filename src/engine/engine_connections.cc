#include "engine/engine_connections.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "engine/engine_errors.h"
#include "engine/engine_json.h"

namespace plz {
namespace {

constexpr size_t kIdleConnections = 4;

std::string target_of(int minor_version, const EngineRequest& request) {
  std::string target = fmt::format("/v1.{}{}", std::min(minor_version, request.newest_minor), request.path);
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    if (value.empty()) continue;
    target += fmt::format("{}{}={}", separator, name, percent_encode(value));
    separator = '&';
  }
  return target;
}

ClientRequest client_request(int minor_version, EngineRequest& request) {
  ClientRequest made{.method = request.method, .target = target_of(minor_version, request), .headers = request.headers};
  made.body = request.body;
  made.body_source = request.body_source;
  made.stall_timeout = request.patience;
  made.idempotent = request.idempotent || request.method == "GET";
  if (!request.body.empty()) made.headers.add("Content-Type", "application/json");
  return made;
}

// "1.41" → 41.
int minor_of(std::string_view version) {
  int minor = 0;
  if (version.starts_with("1.")) std::from_chars(version.data() + 2, version.data() + version.size(), minor);
  return minor;
}

// "Docker/20.10.24+dfsg1 (linux)", "Libpod/4.3.1 (linux)".
EngineVersion version_of(std::string_view server, std::string_view api_version) {
  size_t slash = server.find('/');
  std::string_view number = slash == server.npos ? std::string_view() : server.substr(slash + 1);
  return {std::string(number.substr(0, number.find(' '))), std::string(api_version),
          server.starts_with("Libpod") ? "Podman Engine" : "Docker Engine"};
}

}  // namespace

std::string path_part(std::string_view name) {
  std::string part;
  for (char c : name) part += c == '/' || c == ':' ? std::string(1, c) : percent_encode({&c, 1});
  return part;
}

Result<std::string> EngineConnections::call(EngineRequest request, std::stop_token stop) {
  PLZ_ASSIGN(ClientResponse response, exchange(request, nullptr, stop));
  return std::move(response.body);
}

Result<void> EngineConnections::stream(EngineRequest request, const HttpClient::OnData& on_data, std::stop_token stop) {
  PLZ_TRY(exchange(request, &on_data, stop));
  return {};
}

Result<ClientResponse> EngineConnections::exchange(EngineRequest& request, const HttpClient::OnData* on_data,
                                                   std::stop_token stop) {
  PLZ_ASSIGN(int minor, minor_version(stop));
  std::unique_ptr<HttpClient> client = take();
  auto response = exchange_on(*client, client_request(minor, request), on_data, stop);
  if (!stop.stop_requested()) give_back(std::move(client));
  if (!response) return response;
  if (response->status >= 400)
    return fail(engine_errors::refused(response->status, engine_json::read_message(response->body)));
  return response;
}

Result<ClientResponse> EngineConnections::exchange_on(HttpClient& client, const ClientRequest& request,
                                                      const HttpClient::OnData* on_data, std::stop_token stop) {
  // What the receiver refuses is not the engine's fault.
  std::optional<Error> receiver_error;
  HttpClient::OnData receive = [&](std::string_view piece) {
    auto received = (*on_data)(piece);
    if (!received) receiver_error = received.error();
    return received;
  };
  std::optional<Error> source_error;
  ClientRequest guarded = request;
  if (request.body_source)
    guarded.body_source = [&](char* buffer, size_t size) {
      auto filled = request.body_source(buffer, size);
      if (!filled) source_error = filled.error();
      return filled;
    };
  std::stop_callback on_stop(stop, [&] { client.cancel(); });
  auto response = on_data ? client.stream(guarded, receive) : client.call(guarded);
  if (response) return response;
  if (receiver_error) return fail(std::move(*receiver_error));
  if (source_error) return fail(std::move(*source_error));
  {
    std::lock_guard lock(mutex_);
    minor_version_ = 0;  // another engine may be there next time
  }
  return fail(engine_errors::unreachable(settings_, std::move(response).error()));
}

Result<EngineVersion> EngineConnections::ping(std::stop_token stop) {
  std::unique_ptr<HttpClient> client = take();
  ClientRequest ping{.target = "/_ping", .stall_timeout = std::chrono::seconds(30)};
  PLZ_ASSIGN(ClientResponse response, exchange_on(*client, ping, nullptr, stop));
  auto version = response.headers.find("Api-Version");
  if (response.status != 200 || !version || minor_of(*version) == 0)
    return fail(ErrorCode::unavailable,
                settings_.endpoint.to_string() + " is no Docker engine: it does not say its version");
  if (!stop.stop_requested()) give_back(std::move(client));
  return version_of(response.headers.find("Server").value_or(""), *version);
}

Result<int> EngineConnections::minor_version(std::stop_token stop) {
  {
    std::lock_guard lock(mutex_);
    if (minor_version_ > 0) return minor_version_;
  }
  PLZ_ASSIGN(EngineVersion version, ping(stop));
  std::lock_guard lock(mutex_);
  minor_version_ = minor_of(version.api_version);
  return minor_version_;
}

std::unique_ptr<HttpClient> EngineConnections::take() {
  std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<HttpClient>(settings_.endpoint);
  auto client = std::move(idle_.back());
  idle_.pop_back();
  return client;
}

void EngineConnections::give_back(std::unique_ptr<HttpClient> client) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleConnections) idle_.push_back(std::move(client));
}

}  // namespace plz
