#pragma once

#include <cstdint>
#include <string>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {

// "1.2 GiB (1288490188 bytes)", "512 bytes".
inline std::string exact_bytes(uint64_t bytes) {
  return bytes < 1024 ? human_bytes(bytes) : fmt::format("{} ({} bytes)", human_bytes(bytes), bytes);
}

}  // namespace plz
