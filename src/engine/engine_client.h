// The Docker Engine API, version 1.40 and newer, as typed calls. Source of the format: the Engine API
// reference, https://docs.docker.com/engine/api/v1.40/; Podman serves the same calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine_settings.h"
#include "model/json_text.h"

namespace plz {

struct EngineVersion {
  std::string version;      // "20.10.24"
  std::string api_version;  // "1.41"
  std::string name;         // "Docker Engine", "Podman Engine"
};

struct EngineInfo {
  std::vector<std::string> runtimes;  // "runc", "nvidia"
  std::string storage_driver;
  std::string architecture;          // "x86_64"
  std::string security_options;      // joined by commas: "name=rootless", "name=userns"
  std::vector<std::string> devices;  // that CDI offers: "nvidia.com/gpu=0"; from API 1.50 on
};

using Labels = std::map<std::string, std::string>;

enum class ContainerStatus { created, running, paused, restarting, removing, exited, dead };

struct ContainerState {
  std::string id;
  std::string name;
  std::string image_id;  // "sha256:…"
  ContainerStatus status = ContainerStatus::created;
  int exit_code = 0;
  bool out_of_memory = false;
  std::string error;  // the engine's words, of a start that failed
  int64_t pid = 0;    // of its first process, on the engine's machine; 0: it does not run
  Labels labels;
};

struct ContainerSummary {
  std::string id;
  std::string name;
  std::string image_id;
  std::string state;  // "running", "exited", …
  Labels labels;
  uint64_t writable_bytes = 0;  // of its own layer; only where asked for
};

struct ImageDetails {
  std::string id;                    // "sha256:…"
  std::vector<std::string> tags;     // "debian:12"
  std::vector<std::string> digests;  // "debian@sha256:…"
  std::string architecture;          // "amd64"
  std::string os;
  std::vector<std::string> entrypoint, command;
  std::vector<std::string> environment;  // NAME=VALUE
  std::string user, working_directory;
  std::vector<std::string> on_build;  // ONBUILD triggers
  Labels labels;
  std::vector<std::string> layers;  // digests of what they hold, the lowest first
  uint64_t bytes = 0;
  std::string created;
};

struct ImageSummary {
  std::string id;
  std::string parent;  // the image it was built upon here, an id; "": it was pulled, or loaded
  std::vector<std::string> tags;
  std::vector<std::string> digests;
  Labels labels;
  uint64_t bytes = 0;
  int64_t containers = -1;  // -1: not counted
};

// What is sent to a registry through the engine: X-Registry-Auth. Empty: anonymous.
struct RegistryCredentials {
  std::string server;  // as in ~/.docker/config.json: "host:port", or Docker Hub's key
  std::string username, password;
  std::string identity_token;
};

struct BuildRequest {
  std::vector<std::string> tags;
  Labels labels;
  std::string dockerfile = "Dockerfile";  // its path in the context
  std::string network_mode;               // of RUN; "": the engine's default
  std::string platform;                   // "" or "linux/arm64"
  std::map<std::string, std::string> build_args;
  std::map<std::string, RegistryCredentials> credentials;  // X-Registry-Config, by server
  bool pull = false;                                       // even where the base is there
  bool no_cache = false;
};

// Fills up to `size` bytes of a tar archive into `buffer`; 0: its end. Errors end the request.
using TarSource = std::function<Result<size_t>(char* buffer, size_t size)>;

// Progress of a pull or push, one line of the engine's stream.
struct TransferProgress {
  std::string layer;   // its short id; "" for a word about the whole
  std::string status;  // "Downloading", "Pull complete", …
  uint64_t bytes = 0, total = 0;
};

// Thread-safe: each call takes a connection of its own from a small pool. Every call blocks.
// Errors carry the engine's own words. `unavailable`: no engine answers, or it is not permitted
// (the hint says what to install or which group to join); `not_found`, `conflict`: as the engine says;
// `invalid`: it refuses the request; `cancelled`: `stop` asked.
class EngineClient {
 public:
  explicit EngineClient(EngineSettings settings);
  ~EngineClient();

  const EngineSettings& settings() const;

  Result<EngineVersion> version();
  // The same at once, from what an engine says of itself with every answer: no program is run for it, as
  // engines do for version() and info(). Its version may be empty.
  Result<EngineVersion> ping();
  Result<EngineInfo> info();

  // `body` is the JSON of POST /containers/create. `platform`: "" or "linux/arm64". Returns the id.
  Result<std::string> create_container(const std::string& name, const JsonText& body, const std::string& platform = "");
  Result<void> start_container(const std::string& id);
  // nullopt: there is no such container. `id` may be a name.
  Result<std::optional<ContainerState>> inspect_container(const std::string& id);
  // Blocks until it does not run, for as long as that takes. The exit status.
  Result<int> wait_container(const std::string& id, std::stop_token stop);
  Result<void> kill_container(const std::string& id, const std::string& signal);
  Result<void> unpause_container(const std::string& id);
  // Also a running one, and one that ends meanwhile. Absent: success.
  Result<void> remove_container(const std::string& id);
  // Those with all of these labels (a value "" matches any), running or not.
  Result<std::vector<ContainerSummary>> list_containers(const Labels& labels, bool with_sizes = false);
  // Those of this image, and of images that stand on it.
  Result<std::vector<ContainerSummary>> list_containers_of(const std::string& image);
  // The engine's own log, stdout and stderr merged as it has them, from the beginning; follows until the
  // container ends.
  Result<void> follow_log(const std::string& id, const std::function<Result<void>(std::string_view)>& receive,
                          std::stop_token stop);

  // nullopt: not on this engine. By id, tag, or "repository@digest".
  Result<std::optional<ImageDetails>> inspect_image(const std::string& name);
  // `also_between`: those without a name that others stand on, too.
  Result<std::vector<ImageSummary>> list_images(const Labels& labels, bool also_between = false);
  Result<void> tag_image(const std::string& image, const std::string& repository, const std::string& tag);
  // Removes a tag, or all of an image given by id; conflict while a container uses it. Absent: success.
  Result<void> remove_image(const std::string& image, bool force);
  // Returns the id of the image. What the build prints goes to `output` as it comes. A build that fails is
  // `invalid`, with the engine's words; it leaves no container.
  Result<std::string> build_image(const BuildRequest& request, const TarSource& context,
                                  const std::function<void(std::string_view)>& output, std::stop_token stop);
  Result<void> pull_image(const std::string& reference, const std::string& platform,
                          const RegistryCredentials& credentials,
                          const std::function<void(const TransferProgress&)>& progress, std::stop_token stop);
  // Returns the digest that the registry gave it: "sha256:…".
  Result<std::string> push_image(const std::string& repository, const std::string& tag,
                                 const RegistryCredentials& credentials,
                                 const std::function<void(const TransferProgress&)>& progress, std::stop_token stop);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
