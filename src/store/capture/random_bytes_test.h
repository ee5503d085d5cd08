// Bytes that do not compress and are the same each time, for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>

namespace plz {

inline std::string random_bytes(size_t size, unsigned seed = 1) {
  std::mt19937_64 generator(seed);
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; i += 8) {
    uint64_t value = generator();
    memcpy(bytes.data() + i, &value, std::min<size_t>(8, size - i));
  }
  return bytes;
}

}  // namespace plz
