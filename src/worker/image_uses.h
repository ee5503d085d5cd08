// Which images the attempts of this worker have, and until when others had them: the controller may not have
// known of it when it said which images its history needs.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace plz {

// Thread-safe. Outlives the uses.
class ImageUses {
 public:
  // From when an attempt is given the image until the controller knows how it ended.
  class Use {
   public:
    Use() = default;
    Use(Use&& other) noexcept : uses_(std::exchange(other.uses_, nullptr)), image_(std::move(other.image_)) {}
    Use& operator=(Use&& other) noexcept {
      std::swap(uses_, other.uses_);
      std::swap(image_, other.image_);
      return *this;
    }
    ~Use() {
      if (uses_) uses_->end(image_);
    }

   private:
    friend class ImageUses;
    Use(ImageUses& uses, std::string image) : uses_(&uses), image_(std::move(image)) {}
    ImageUses* uses_ = nullptr;
    std::string image_;
  };

  explicit ImageUses(const Clock& clock) : clock_(clock) {}

  Use begin(const std::string& image_id) {
    std::lock_guard lock(mutex_);
    ++images_[image_id].users;
    return Use(*this, image_id);
  }
  // Those in use, and those that were at that time or later.
  std::vector<std::string> since(std::optional<Timestamp> time) const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> used;
    for (const auto& [id, image] : images_)
      if (image.users > 0 || (time && image.ended >= *time)) used.push_back(id);
    return used;
  }

 private:
  struct Image {
    int users = 0;
    Timestamp ended;  // the last of them
  };
  void end(const std::string& image_id) {
    std::lock_guard lock(mutex_);
    Image& image = images_[image_id];
    --image.users;
    image.ended = clock_.now();
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Image> images_;  // guarded by mutex_
};

}  // namespace plz
