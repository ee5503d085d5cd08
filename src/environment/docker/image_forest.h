// What goes when images go, told before anything is removed. Source of the rules: daemon/images/image_delete.go of
// github.com/moby/moby: an image goes with its last name, unless a container has it or another stands on it; with it
// go those below it that have no name, as far as nothing else stands on them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/engine_client.h"

namespace plz {

// Pure. Not thread-safe.
class ImageForest {
 public:
  // `all`: also those between. `used`: ids of those that containers have.
  ImageForest(const std::vector<ImageSummary>& all, std::set<std::string> used);

  // Of one that was pulled, whose layers begin with those of another that was.
  void stand_upon(const std::string& image, const std::string& base);
  bool is_stood_upon(const std::string& image) const;
  // Nothing stands on it. How many bytes the engine gets back: what it has beyond the nearest below it that stays,
  // or, where none is known, beyond `base_bytes`.
  uint64_t remove(const std::string& image, uint64_t base_bytes);

 private:
  struct Node {
    std::string parent;
    uint64_t bytes = 0;
    bool has_name = false;
    int children = 0;
  };
  // Its parent, and whether it is on the engine.
  Node* parent_of(const Node& node);

  std::map<std::string, Node> images_;
  const std::set<std::string> used_;
};

}  // namespace plz
