#include "environment/docker/holds.h"

#include <algorithm>

#include <unistd.h>

#include "base/text.h"
#include "os/file.h"
#include "store/hasher.h"

namespace plz {
namespace {

constexpr std::string_view kHold = "for-";
constexpr size_t kHolderDigits = 12, kImageDigits = 24;

// Of 128 characters that a tag may have, and no key looks like it.
std::string hold_of(std::string_view holder, std::string_view image_id) {
  const size_t digits = image_id.find(':') + 1;  // behind "sha256:", or all
  return std::string(kHold) + std::string(holder) + "-" + std::string(image_id.substr(digits, kImageDigits));
}

}  // namespace

std::string_view environment_tag(std::string_view name) {
  constexpr std::string_view kPodman = "localhost/", kRepository = kEnvironmentRepository;
  if (name.starts_with(kPodman)) name.remove_prefix(kPodman.size());
  if (!name.starts_with(kRepository)) return {};
  name.remove_prefix(kRepository.size());
  return name.starts_with(':') ? name.substr(1) : std::string_view();
}

bool is_hold(std::string_view name, std::string_view holder) {
  const std::string_view tag = environment_tag(name);
  return tag.starts_with(kHold) && tag.substr(kHold.size()).starts_with(holder);
}

Result<void> Holds::take(const ImageDetails& image) { return take(image.id, image.tags); }

Result<void> Holds::take(const std::string& image_id, const std::vector<std::string>& names) {
  if (std::any_of(names.begin(), names.end(), [&](const auto& name) { return is_hold(name, holder_); })) return {};
  return engine_.tag_image(image_id, kEnvironmentRepository, hold_of(holder_, image_id));
}

std::string holder_of(std::string_view machine, std::string_view directory) {
  return digest_of(std::string(machine) + "\n" + std::string(directory)).hex().substr(0, kHolderDigits);
}

std::string this_machine() {
  if (auto id = read_file_if_exists("/etc/machine-id"); id && *id && !trim(**id).empty())
    return std::string(trim(**id));
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace plz
