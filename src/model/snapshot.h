// Captured code, captured input, and the recipe of the environment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/digest.h"

namespace plz {

// An image as a container engine knows it, whatever its tags mean today.
struct ImageIdentity {
  std::string id;      // "sha256:…": of the image's configuration, the same on every engine
  std::string digest;  // "repository@sha256:…", to pull it by; "" where it was neither pushed nor pulled
  // Of one that plz built upon another, as the recipe's image or plz's own base: which that was. "": no such, or a
  // plz.Dockerfile's.
  std::string base_id = {};
  std::string base_digest = {};
  bool operator==(const ImageIdentity&) const = default;
};

// No image and no Dockerfile: the host's own file system, in a sandbox.
struct EnvironmentRecipe {
  std::string image;
  std::vector<std::string> image_extensions;
  bool dockerfile = false;              // the code's own plz.Dockerfile says it all; image is ""
  std::optional<ImageIdentity> pinned;  // of a rerun: this image, not what the names mean today
  bool uses_container() const { return dockerfile || !image.empty(); }
  bool operator==(const EnvironmentRecipe&) const = default;
};

struct Snapshot {
  Digest code_tree;
  EnvironmentRecipe environment;
  bool operator==(const Snapshot&) const = default;
};

struct Input {
  Digest tree;
  // A single file given as input is a tree of one file, mounted as that file's directory.
  std::string source;  // as configured: file://…, input_id://…, output://…
  uint64_t total_bytes = 0;
  bool operator==(const Input&) const = default;
};

}  // namespace plz
