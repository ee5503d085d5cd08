// When each environment was used last, in a small file. What is lost of it costs at most a rebuild.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace plz {

// Thread-safe; several processes may share the file, and then the later writer's view stays.
class LastUse {
 public:
  // `path` need not exist.
  LastUse(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

  // The file is written at most once a minute for each image.
  Result<void> touch(const std::string& image_id);
  // Of an image that this file does not know: now, and it is remembered. Another worker may have made it, and use it.
  Timestamp of(const std::string& image_id);
  Result<void> forget(const std::string& image_id);

 private:
  using Times = std::map<std::string, Timestamp>;
  Times read() const;
  Result<void> write(const Times& times) const;

  const std::string path_;
  const Clock& clock_;
  std::mutex mutex_;
};

}  // namespace plz
