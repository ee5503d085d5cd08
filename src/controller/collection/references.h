// What executions need of the store and of container engines.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/digest.h"
#include "model/execution.h"

namespace plz {

struct References {
  std::vector<Digest> trees;     // with everything below them
  std::vector<Digest> blobs;     // by themselves
  std::set<std::string> images;  // ids: "sha256:…"
  std::set<AttemptId>
      attempts;  // whose output may be kept on their instance: it could not be stored, or may yet not be
};

// Code, input and output (of a part of a composite: output, since the rest is the composite's); the blobs that the
// metadata name (any text of 64 hexadecimal digits is taken for such a name); what it ran in, and the image that it is
// tied to.
void add_references(const Execution& execution, References& references);

}  // namespace plz
