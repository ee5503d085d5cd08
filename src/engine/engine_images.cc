// The calls of EngineClient that are about images.
#include <fmt/core.h>

#include "engine/engine_client.h"
#include "engine/engine_connections.h"
#include "engine/engine_errors.h"
#include "engine/engine_json.h"
#include "engine/engine_streams.h"

namespace plz {
namespace {

using engine_json::StreamLine;
using OnProgress = std::function<void(const TransferProgress&)>;

std::string image_path(const std::string& name, const char* what) { return "/images/" + path_part(name) + what; }

struct Reference {
  std::string repository, tag;  // tag: also a digest
};

// "debian" means debian:latest: without a tag the engine would pull all there are.
Reference split_reference(const std::string& reference) {
  if (size_t at = reference.find('@'); at != reference.npos) return {reference.substr(0, at), reference.substr(at + 1)};
  size_t colon = reference.rfind(':');
  size_t slash = reference.rfind('/');
  bool has_tag = colon != reference.npos && (slash == reference.npos || colon > slash);
  return has_tag ? Reference{reference.substr(0, colon), reference.substr(colon + 1)} : Reference{reference, "latest"};
}

Headers auth_header(const RegistryCredentials& credentials) {
  Headers headers;
  headers.add("X-Registry-Auth", engine_json::registry_auth(credentials));
  return headers;
}

// Sends the request and reads the lines of its answer to the end; the first error among them is returned.
Result<void> read_lines(EngineConnections& connections, EngineRequest request, std::stop_token stop,
                        const std::function<Error(std::string_view)>& error_of,
                        const std::function<void(const StreamLine&)>& take) {
  request.patience = kEndless;
  std::optional<std::string> error;
  JsonLines lines([&](std::string_view text) -> Result<void> {
    PLZ_ASSIGN(StreamLine line, engine_json::read_stream_line(text));
    if (line.error && !error) error = line.error;
    take(line);
    return {};
  });
  PLZ_TRY(connections.stream(
      std::move(request), [&](std::string_view piece) { return lines.feed(piece); }, stop));
  PLZ_TRY(lines.finish());
  if (error) return fail(error_of(*error));
  return {};
}

// What is refused before the stream begins comes as a status, with the same words.
Error refused_at_once(Error error, const std::function<Error(std::string_view)>& error_of) {
  if (error.code == ErrorCode::unavailable || error.code == ErrorCode::cancelled) return error;
  Error by_words = error_of(error.message);
  bool says_more = error.code == ErrorCode::internal || by_words.code == ErrorCode::invalid;
  return says_more ? by_words : error;
}

EngineRequest build_request(const BuildRequest& request, const TarSource& context) {
  EngineRequest made{.method = "POST", .path = "/build"};
  made.query = {{"dockerfile", request.dockerfile},
                {"labels", engine_json::object_of(request.labels)},
                {"buildargs", engine_json::object_of(request.build_args)},
                {"networkmode", request.network_mode},
                {"platform", request.platform},
                {"pull", request.pull ? "1" : ""},
                {"nocache", request.no_cache ? "1" : ""},
                {"rm", "1"},
                {"forcerm", "1"}};
  // The names of a query are distinct here; an image gets its further tags once it is there.
  if (!request.tags.empty()) made.query["t"] = request.tags.front();
  made.headers.add("Content-Type", "application/x-tar");
  if (!request.credentials.empty())
    made.headers.add("X-Registry-Config", engine_json::registry_config(request.credentials));
  made.body_source = context;
  return made;
}

// Older Podmans name the image in words alone.
void note_built(const std::string& output, std::string& image) {
  constexpr std::string_view kWords = "Successfully built ";
  if (!output.starts_with(kWords) || !image.empty()) return;
  image = output.substr(kWords.size());
  while (!image.empty() && (image.back() == '\n' || image.back() == '\r')) image.pop_back();
}

}  // namespace

Result<std::optional<ImageDetails>> EngineClient::inspect_image(const std::string& name) {
  auto body = state_->connections.call({.path = image_path(name, "/json")});
  if (!body && body.error().code == ErrorCode::not_found) return std::nullopt;
  if (!body) return fail(std::move(body).error());
  PLZ_ASSIGN(ImageDetails image, engine_json::read_image(*body));
  return image;
}

Result<std::vector<ImageSummary>> EngineClient::list_images(const Labels& labels, bool also_between) {
  PLZ_ASSIGN(std::string body, state_->connections.call({.path = "/images/json",
                                                         .query = {{"all", also_between ? "1" : ""},
                                                                   {"filters", engine_json::label_filters(labels)}}}));
  return engine_json::read_images(body);
}

Result<void> EngineClient::tag_image(const std::string& image, const std::string& repository, const std::string& tag) {
  PLZ_TRY(state_->connections.call({.method = "POST",
                                    .path = image_path(image, "/tag"),
                                    .query = {{"repo", repository}, {"tag", tag}},
                                    .idempotent = true}));
  return {};
}

Result<void> EngineClient::remove_image(const std::string& image, bool force) {
  auto removed = state_->connections.call(
      {.method = "DELETE", .path = image_path(image, ""), .query = {{"force", force ? "1" : ""}}, .idempotent = true});
  if (removed || removed.error().code == ErrorCode::not_found) return {};
  return fail(std::move(removed).error());
}

Result<std::string> EngineClient::build_image(const BuildRequest& request, const TarSource& context,
                                              const std::function<void(std::string_view)>& output,
                                              std::stop_token stop) {
  std::string image;
  PLZ_TRY(read_lines(state_->connections, build_request(request, context), stop, engine_errors::build_failed,
                     [&](const StreamLine& line) {
                       if (!line.image_id.empty()) image = line.image_id;
                       note_built(line.output, image);
                       if (!line.output.empty()) output(line.output);
                     }));
  if (image.empty()) return fail(ErrorCode::unavailable, "the engine's build ended without an image");
  if (!image.starts_with("sha256:")) {
    PLZ_ASSIGN(auto details, inspect_image(image));
    if (!details) return fail(ErrorCode::unavailable, "the image that the engine built is gone: " + image);
    image = details->id;
  }
  for (size_t i = 1; i < request.tags.size(); ++i) {
    Reference name = split_reference(request.tags[i]);
    PLZ_TRY(tag_image(image, name.repository, name.tag));
  }
  return image;
}

Result<void> EngineClient::pull_image(const std::string& reference, const std::string& platform,
                                      const RegistryCredentials& credentials, const OnProgress& progress,
                                      std::stop_token stop) {
  Reference name = split_reference(reference);
  EngineRequest request{.method = "POST",
                        .path = "/images/create",
                        .query = {{"fromImage", name.repository}, {"tag", name.tag}, {"platform", platform}},
                        .headers = auth_header(credentials)};
  auto failed = [&](std::string_view words) { return engine_errors::transfer_failed(words, credentials); };
  auto pulled = read_lines(state_->connections, std::move(request), stop, failed, [&](const StreamLine& line) {
    if (line.progress) progress(*line.progress);
  });
  if (!pulled) return fail(refused_at_once(std::move(pulled).error(), failed));
  return {};
}

Result<std::string> EngineClient::push_image(const std::string& repository, const std::string& tag,
                                             const RegistryCredentials& credentials, const OnProgress& progress,
                                             std::stop_token stop) {
  EngineRequest request{.method = "POST",
                        .path = image_path(repository, "/push"),
                        .query = {{"tag", tag}},
                        .headers = auth_header(credentials)};
  std::string digest;
  auto failed = [&](std::string_view words) { return engine_errors::transfer_failed(words, credentials); };
  auto pushed = read_lines(state_->connections, std::move(request), stop, failed, [&](const StreamLine& line) {
    if (!line.digest.empty()) digest = line.digest;
    if (line.progress) progress(*line.progress);
  });
  if (!pushed) return fail(refused_at_once(std::move(pushed).error(), failed));
  if (digest.empty()) return fail(ErrorCode::unavailable, "the registry took the image and named no digest");
  return digest;
}

}  // namespace plz
