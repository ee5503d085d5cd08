// One connection to the API: a request in, the body of its answer or its error out.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_client.h"

namespace plz {

// What a long poll may take beyond the time that it was asked to wait.
inline constexpr std::chrono::milliseconds kLongPollSlack{30'000};

// Of an answer that says no more than that it went well.
Result<void> without_answer(Result<std::string> answer);

// As HttpClient: not thread-safe, but cancel() is.
class ApiConnection {
 public:
  ApiConnection(Endpoint endpoint, ClientSettings settings) : http_(std::move(endpoint), settings) {}

  // A status other than 2xx is an error, as the controller worded it.
  Result<std::string> call(const ClientRequest& request);
  Result<void> stream(const ClientRequest& request, const HttpClient::OnData& on_data);
  Result<std::string> get(std::string target);
  Result<std::string> post_json(std::string target, std::string_view json);
  Result<ClientResponse> raw(const ClientRequest& request) { return http_.call(request); }
  void cancel() { http_.cancel(); }

 private:
  HttpClient http_;
};

// "POST" of JSON; valid as long as `json` is.
ClientRequest json_request(std::string target, std::string_view json);

// Builds "/v1/executions?user=ada&limit=3".
class TargetBuilder {
 public:
  explicit TargetBuilder(std::string path) : target_(std::move(path)) {}
  TargetBuilder& add(std::string_view name, std::string_view value);
  std::string take() { return std::move(target_); }

 private:
  std::string target_;
  bool has_query_ = false;
};

}  // namespace plz
