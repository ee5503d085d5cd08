#include "engine/engine_errors.h"

#include <algorithm>

#include <fmt/core.h>

namespace plz::engine_errors {
namespace {

constexpr std::string_view kSandboxNote = "; a job without an image runs in plz's sandbox and needs no engine";

bool says(std::string_view words, std::initializer_list<std::string_view> phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view p) { return words.find(p) != words.npos; });
}

bool is_disk_full(std::string_view words) { return says(words, {"no space left on device", "disk quota exceeded"}); }

Error disk_full(std::string_view words) {
  return {ErrorCode::unavailable, std::string(words), "the engine's disk is full: `docker system df` says of what"};
}

std::string what_to_do_when_denied(const RegistryCredentials& used) {
  // Docker Hub's key is an address of its own, and what `docker login` takes without one.
  bool is_hub = used.server.empty() || used.server.starts_with("https://");
  const std::string login = is_hub ? "`docker login`" : fmt::format("`docker login {}`", used.server);
  if (used.username == "AWS")
    return fmt::format("is its name right, and do the AWS keys in use allow it for {}?", used.server);
  if (used.username.empty() && used.identity_token.empty())
    return fmt::format("is its name right? If it is private: {}, as the user whose worker this is", login);
  return fmt::format("is its name right? The login in use ({}) does not reach it: {} again",
                     used.username.empty() ? "a token" : used.username, login);
}

}  // namespace

Error unreachable(const EngineSettings& settings, Error error) {
  if (error.code == ErrorCode::cancelled) return error;
  bool is_unix = settings.endpoint.kind == Endpoint::Kind::unix_socket;
  if (error.code == ErrorCode::invalid && !is_unix) return error;
  if (error.code == ErrorCode::invalid)
    return {ErrorCode::unavailable, "the Docker engine is not open to this user: " + error.message,
            fmt::format("join its group (`sudo usermod -aG docker $USER`) and log in again{}", kSandboxNote)};
  if (!says(error.message, {"cannot connect"})) {
    error.code = ErrorCode::unavailable;
    return std::move(error).with_context("the Docker engine");
  }
  std::string remedy = is_unix
                           ? "install it (`sudo apt-get install docker.io`) or start it (`sudo systemctl start docker`)"
                           : "is it running, and is DOCKER_HOST right?";
  return {ErrorCode::unavailable, fmt::format("no Docker engine answers at {}: {}", settings.source, error.message),
          fmt::format("{}{}", remedy, kSandboxNote)};
}

Error refused(int status, std::string_view words) {
  if (is_disk_full(words)) return disk_full(words);
  ErrorCode code = ErrorCode::internal;
  if (status == 400 || status == 401 || status == 403) code = ErrorCode::invalid;
  if (status == 404) code = ErrorCode::not_found;
  // Podman says 500 of a name that is taken.
  if (status == 409 || (status == 500 && says(words, {"is already in use by"}))) code = ErrorCode::conflict;
  if (status == 502 || status == 503 || status == 504) code = ErrorCode::unavailable;
  return {code, words.empty() ? fmt::format("the engine answered with status {}", status) : std::string(words), {}};
}

Error transfer_failed(std::string_view words, const RegistryCredentials& used) {
  if (is_disk_full(words)) return disk_full(words);
  // Docker says both in one breath of what is private and of what is not there.
  if (says(words, {"access denied", "denied:", "unauthorized", "no basic auth credentials", "authentication required"}))
    return {ErrorCode::invalid, std::string(words), what_to_do_when_denied(used)};
  ErrorCode code = ErrorCode::unavailable;
  if (says(words, {"manifest unknown", "not found", "no such image", "does not exist", "name unknown"}))
    code = ErrorCode::not_found;
  if (says(words, {"invalid reference", "no matching manifest"})) code = ErrorCode::invalid;
  return {code, std::string(words), {}};
}

Error build_failed(std::string_view words) {
  return is_disk_full(words) ? disk_full(words) : Error{ErrorCode::invalid, std::string(words), {}};
}

}  // namespace plz::engine_errors
