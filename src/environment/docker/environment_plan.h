// A build that is wholly decided: what is sent to the engine, and the key that it is known by.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine_client.h"
#include "environment/build/build_context.h"

namespace plz {

inline constexpr const char* kDockerfileOfCode = "plz.Dockerfile";

struct EnvironmentPlan {
  std::string what;  // for messages: "plz.Dockerfile", "debian:12 with its extensions"
  std::string key;
  std::string platform;
  std::string repository;  // shared by workers: "" where there is none
  std::string directory;   // the context
  std::vector<ContextEntry> entries;
  std::map<std::string, std::string> texts;  // sent besides
  std::string dockerfile_path;               // in the context
  uint64_t base_bytes = 0;                   // of the image below, where there is one
  std::vector<std::string> base_names;       // images that the build takes by name
};

struct LayerRequest {
  std::string what;
  std::vector<std::string> lines;            // behind FROM
  std::map<std::string, std::string> texts;  // files that COPY finds besides the code's
  std::string directory;
  bool heed_ignore_file = true;  // .dockerignore
  std::string platform;
  std::map<std::string, ImageDetails> bases = {};  // further images that the lines or the base's triggers name
};

// What a build sees, its bases' ONBUILD triggers included as far as `bases` has them. invalid: only the engine could
// tell what one of the names means.
Result<BuildSight> sight_of_dockerfile(const std::string& text, const std::map<std::string, ImageDetails>& bases);
Result<BuildSight> sight_of_layer(const ImageDetails& base, const LayerRequest& request);

// Lines upon an image, whose ONBUILD triggers count.
Result<EnvironmentPlan> plan_layer(const ImageDetails& base, const LayerRequest& request);

// The code's own plz.Dockerfile. `bases`: all images that it names. invalid: there is none.
Result<EnvironmentPlan> plan_dockerfile(const std::string& text, const std::map<std::string, ImageDetails>& bases,
                                        const std::string& directory, const std::string& platform);
Result<std::string> read_dockerfile(const std::string& directory);

}  // namespace plz
