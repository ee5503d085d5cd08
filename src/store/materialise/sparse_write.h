// Writes bytes into a file that was just made, leaving holes where there are only zeros.
#pragma once

#include <string_view>

#include "base/result.h"

namespace plz {

Result<void> write_sparsely(int fd, std::string_view bytes, uint64_t offset);

}  // namespace plz
