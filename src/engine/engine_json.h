// Values to the JSON of the Docker Engine API and back. Pure. An answer that lacks what is needed, or is no
// JSON, is `unavailable`: what answered is no engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine_client.h"

namespace plz::engine_json {

Result<EngineVersion> read_version(std::string_view body);
Result<EngineInfo> read_info(std::string_view body);
Result<std::string> read_created(std::string_view body);  // the id of the container
Result<ContainerState> read_container(std::string_view body);
Result<int> read_exit_status(std::string_view body);
Result<std::vector<ContainerSummary>> read_containers(std::string_view body);
Result<ImageDetails> read_image(std::string_view body);
Result<std::vector<ImageSummary>> read_images(std::string_view body);
// {"message": "…"}; the body itself where it is none.
std::string read_message(std::string_view body);

// {"label": ["a=b", "c"]}, for the query `filters`.
std::string label_filters(const Labels& labels);
std::string ancestor_filter(const std::string& image);
std::string object_of(const std::map<std::string, std::string>& members);
// Both are base64, in the URL's alphabet.
std::string registry_auth(const RegistryCredentials& credentials);
std::string registry_config(const std::map<std::string, RegistryCredentials>& credentials);

// One line of the stream of a build, pull or push.
struct StreamLine {
  std::string output;  // what a build prints
  std::optional<TransferProgress> progress;
  std::string image_id;  // of the image that was built
  std::string digest;    // that a registry gave
  std::optional<std::string> error;
};
Result<StreamLine> read_stream_line(std::string_view line);

}  // namespace plz::engine_json
