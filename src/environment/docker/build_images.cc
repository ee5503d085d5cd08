#include "environment/docker/build_images.h"

#include <algorithm>

#include "base/text.h"

namespace plz {
namespace {

bool is_short_id(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

bool BuildImages::line(std::string_view line) {
  constexpr std::string_view kStep = "Step ", kArrow = " ---> ", kCached = "Using cache", kRunning = "Running in ";
  if (line.starts_with(kStep)) {
    size_t colon = line.find(" : ");
    std::string_view instruction = colon == line.npos ? "" : line.substr(colon + 3);
    is_from_ = instruction.starts_with("FROM ");
    is_cached_ = false;
  }
  if (!line.starts_with(kArrow)) return false;
  std::string_view words = trim(line.substr(kArrow.size()));
  if (words == kCached) is_cached_ = true;
  if (words.starts_with(kRunning) && is_short_id(words.substr(kRunning.size()))) {
    made_.containers.emplace_back(words.substr(kRunning.size()));
    return true;
  }
  if (!is_short_id(words) || is_from_ || is_cached_) return false;
  made_.images.emplace_back(words);
  return true;
}

MadeByBuild BuildImages::made() const {
  return {{made_.images.rbegin(), made_.images.rend()}, {made_.containers.rbegin(), made_.containers.rend()}};
}

}  // namespace plz
