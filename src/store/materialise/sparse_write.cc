#include "store/materialise/sparse_write.h"

#include <algorithm>
#include <cstring>

#include "os/fd.h"

namespace plz {
namespace {

constexpr size_t kBlockBytes = 64u << 10;

bool is_zeros(std::string_view bytes) {
  return bytes.front() == '\0' && memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace

Result<void> write_sparsely(int fd, std::string_view bytes, uint64_t offset) {
  size_t pending = 0;  // bytes before `at` that are not written yet
  size_t at = 0;
  while (at < bytes.size()) {
    size_t size = std::min(kBlockBytes, bytes.size() - at);
    if (is_zeros(bytes.substr(at, size))) {
      PLZ_TRY(pwrite_all(fd, bytes.substr(at - pending, pending), offset + at - pending));
      pending = 0;
    } else {
      pending += size;
    }
    at += size;
  }
  return pwrite_all(fd, bytes.substr(at - pending, pending), offset + at - pending);
}

}  // namespace plz
