// The name of an image, taken apart. The rules are those of Docker's reference grammar,
// https://pkg.go.dev/github.com/distribution/reference.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace plz {

struct ImageReference {
  std::string server;  // "docker.io", "registry.example:5000"
  std::string path;    // "library/debian", "team/plz"
  std::string tag;     // "latest" where neither tag nor digest is given
  std::string digest;  // "sha256:…", or ""

  // As the engine writes it: "debian", "registry.example:5000/team/plz".
  std::string repository() const;
  bool same_repository(const ImageReference& other) const { return server == other.server && path == other.path; }
};

// "debian", "debian:12", "host:5000/a/b@sha256:…". invalid: no image can have this name.
Result<ImageReference> parse_image_reference(std::string_view text);

// "sha256:" with 64 hexadecimal digits, as an image's id and a digest are.
bool is_image_id(std::string_view text);

}  // namespace plz
