// Images for executions. One engine, one set of environments, shared by all who use it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/digest.h"
#include "model/snapshot.h"

namespace plz {

struct EnvironmentRequest {
  EnvironmentRecipe recipe;
  // The captured code, materialised; what a build may copy from. Nobody changes it.
  std::string code_directory;
  Digest code_tree;
  std::string platform;    // of docker_run_args: "", "linux/arm64"
  std::string repository;  // where built images are pushed to and looked for first; "": nowhere
};

struct ReadyEnvironment {
  ImageIdentity image;
  // The image is not the one that was recorded, but was made anew from its recipe. For a warning.
  bool rebuilt = false;
};

// An image that plz made, or pulled by digest for a rerun.
struct KeptEnvironment {
  std::string image_id;
  std::string name;     // "plz/environment:…", or its digest in a repository
  uint64_t bytes = 0;   // beyond what it stands on
  bool in_use = false;  // a container has it
  bool goes = true;     // it leaves the engine when this worker gives it up: nobody else needs it
};

// One line for the person who waits, with its line break.
using Say = std::function<void(std::string_view)>;

// Thread-safe. Several that want the same environment wait for one build.
class Environments {
 public:
  virtual ~Environments() = default;

  // Blocks for as long as pulls and builds take. `say` receives what they print, and progress in words, one line a
  // call (model/preparation_line.h); it is called from this thread. Nothing is pulled that is there.
  // invalid: the recipe cannot be built, or the image does not exist (the engine's words);
  // not_found: a pinned image is gone and cannot be made again; unavailable: no engine, no registry, disk
  // full; cancelled: `stop` asked. A failed build leaves no image and no container.
  virtual Result<ReadyEnvironment> ensure(const EnvironmentRequest& request, const Say& say, std::stop_token stop) = 0;

  // Nothing that plz did not make or pull; others' too.
  virtual Result<std::vector<KeptEnvironment>> list() = 0;
  // Those of these images that are here are needed by this worker from now on, whoever made them.
  virtual Result<void> need(const std::vector<std::string>& image_ids) = 0;
  // What this worker would give up if only these were needed, in the order in which it can be removed: none in use,
  // none that another image which stays stands on. `bytes` is what the engine gets back then.
  virtual Result<std::vector<KeptEnvironment>> unneeded(const std::vector<std::string>& needed) = 0;
  // Gives it up. True: it is gone; false: others need it. conflict: in use; not_found: no environment of plz.
  virtual Result<bool> remove(const std::string& image_id) = 0;
  // Gives up the least recently used until the rest is within the limit; never one in use.
  virtual Result<void> evict() = 0;
};

}  // namespace plz
