// Numbers in the store's formats: little-endian, unaligned.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace plz {

static_assert(std::endian::native == std::endian::little, "the formats are read in place");

template <typename T>
T load_little_endian(const char* bytes) {
  T value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

template <typename T>
void append_little_endian(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Reads a format from its beginning. Past the end everything read is zero or empty, and ok() is
// false from then on.
class LittleEndianReader {
 public:
  explicit LittleEndianReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  T number() {
    std::string_view piece = bytes(sizeof(T));
    return piece.size() == sizeof(T) ? load_little_endian<T>(piece.data()) : T{};
  }
  std::string_view bytes(size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    std::string_view piece = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return piece;
  }
  bool at_end() const { return rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace plz
