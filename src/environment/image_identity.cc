#include "environment/image_identity.h"

#include "base/text.h"
#include "environment/image_reference.h"

namespace plz {

std::string digest_in(const ImageDetails& image, const std::string& repository) {
  auto wanted = parse_image_reference(repository);
  if (!wanted) return {};
  for (const std::string& digest : image.digests)
    if (auto known = parse_image_reference(digest); known && known->same_repository(*wanted)) return digest;
  return {};
}

ImageIdentity identity_of(const ImageDetails& image, const std::string& name) {
  std::string digest = digest_in(image, name);
  if (digest.empty() && !image.digests.empty()) digest = image.digests.front();
  return {.id = image.id, .digest = digest};
}

bool is_for_platform(const ImageDetails& image, std::string_view platform) {
  if (platform.empty()) return true;
  auto parts = split(platform, '/');
  if (parts.size() == 1) return parts[0] == image.architecture || parts[0] == image.os;
  return parts[0] == image.os && parts[1] == image.architecture;
}

}  // namespace plz
