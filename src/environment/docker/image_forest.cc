#include "environment/docker/image_forest.h"

#include <algorithm>
#include <utility>

namespace plz {

ImageForest::ImageForest(const std::vector<ImageSummary>& all, std::set<std::string> used) : used_(std::move(used)) {
  for (const ImageSummary& image : all) {
    const bool has_name = !image.tags.empty() || !image.digests.empty();
    images_[image.id] = {.parent = image.parent, .bytes = image.bytes, .has_name = has_name};
  }
  for (auto& [id, node] : images_)
    if (Node* parent = parent_of(node)) ++parent->children;
}

ImageForest::Node* ImageForest::parent_of(const Node& node) {
  auto parent = images_.find(node.parent);
  return parent == images_.end() ? nullptr : &parent->second;
}

void ImageForest::stand_upon(const std::string& image, const std::string& base) {
  auto node = images_.find(image);
  if (node == images_.end() || parent_of(node->second)) return;
  node->second.parent = base;
  if (Node* parent = parent_of(node->second)) ++parent->children;
}

bool ImageForest::is_stood_upon(const std::string& image) const {
  auto node = images_.find(image);
  return node != images_.end() && node->second.children > 0;
}

uint64_t ImageForest::remove(const std::string& image, uint64_t base_bytes) {
  auto node = images_.find(image);
  if (node == images_.end()) return 0;
  const uint64_t bytes = node->second.bytes;
  for (;;) {
    const std::string below = node->second.parent;
    images_.erase(node);
    node = images_.find(below);
    if (node == images_.end()) return bytes - std::min(base_bytes, bytes);
    Node& parent = node->second;
    --parent.children;
    if (parent.has_name || parent.children > 0 || used_.contains(below)) return bytes - std::min(parent.bytes, bytes);
  }
}

}  // namespace plz
