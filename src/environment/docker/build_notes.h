// What builds under way have made on the engine so far, on disk: a build that ends with its engine or its worker leaves
// images without a name and a container, and nothing on the engine says whose they are.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "environment/docker/build_images.h"

namespace plz {

// One file for each key that is being built, below a directory of the worker's. Thread-safe as long as each key has
// one build at a time.
class BuildNotes {
 public:
  explicit BuildNotes(std::string directory) : directory_(std::move(directory)) {}

  Result<void> write(const std::string& key, const MadeByBuild& made) const;
  void erase(const std::string& key) const;

  std::vector<std::string> keys() const;
  Result<MadeByBuild> read(const std::string& key) const;

 private:
  std::string path_of(const std::string& key) const;

  const std::string directory_;
};

}  // namespace plz
