// Which of an image's names are recorded.
#pragma once

#include <string>
#include <string_view>

#include "engine/engine_client.h"
#include "model/snapshot.h"

namespace plz {

// The digest in the repository of `name` where there is one, else any, else "".
ImageIdentity identity_of(const ImageDetails& image, const std::string& name);
// "" if it has none there. `repository` without tag.
std::string digest_in(const ImageDetails& image, const std::string& repository);

// `platform`: "", "linux/arm64", "linux/arm/v7" (the variant is not compared: the engine does not say it).
bool is_for_platform(const ImageDetails& image, std::string_view platform);

}  // namespace plz
