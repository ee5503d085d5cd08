// Requests to one engine, over a small pool of connections.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/engine_client.h"
#include "net/http_client.h"

namespace plz {

// Of the API, 1.44, that plz was written against; what an engine offers beyond is not asked for, but by requests that
// say so.
inline constexpr int kNewestMinor = 44;

// For answers that come when they come: longer than a job is silent.
inline constexpr std::chrono::milliseconds kEndless = std::chrono::hours(24 * 12);

struct EngineRequest {
  std::string method = "GET";
  std::string path;                          // "/containers/json", encoded
  std::map<std::string, std::string> query;  // not encoded; empty values are left out
  std::string body;                          // JSON
  Headers headers;
  BodySource body_source;
  std::chrono::milliseconds patience = std::chrono::minutes(10);  // no byte moved meanwhile
  bool idempotent = false;                                        // GET always is
  int newest_minor = kNewestMinor;                                // the engine's own version, but no newer one
};

// Thread-safe.
class EngineConnections {
 public:
  explicit EngineConnections(EngineSettings settings) : settings_(std::move(settings)) {}
  const EngineSettings& settings() const { return settings_; }

  // The body of an answer below 400; errors as EngineClient says.
  Result<std::string> call(EngineRequest request, std::stop_token stop = {});
  Result<EngineVersion> ping(std::stop_token stop);
  // The body goes to `on_data` as it comes.
  Result<void> stream(EngineRequest request, const HttpClient::OnData& on_data, std::stop_token stop);

 private:
  Result<ClientResponse> exchange(EngineRequest& request, const HttpClient::OnData* on_data, std::stop_token stop);
  Result<ClientResponse> exchange_on(HttpClient& client, const ClientRequest& request,
                                     const HttpClient::OnData* on_data, std::stop_token stop);
  Result<int> minor_version(std::stop_token stop);  // the engine's
  std::unique_ptr<HttpClient> take();
  void give_back(std::unique_ptr<HttpClient> client);

  const EngineSettings settings_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<HttpClient>> idle_;
  int minor_version_ = 0;  // 41: of "1.41", the engine's newest; 0 until asked for, and once it was lost
};

struct EngineClient::State {
  EngineConnections connections;
};

// One part of a path. Slashes stay: names of images have some.
std::string path_part(std::string_view name);

}  // namespace plz
