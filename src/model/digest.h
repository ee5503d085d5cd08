// The SHA-256 of some bytes: the name of a blob or a tree in the store.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace plz {

class Digest {
 public:
  static constexpr size_t kBytes = 32;

  Digest() = default;  // all zeros: no digest
  explicit Digest(const std::array<uint8_t, kBytes>& bytes) : bytes_(bytes) {}
  static Digest from_bytes(const void* bytes) {
    Digest digest;
    memcpy(digest.bytes_.data(), bytes, kBytes);
    return digest;
  }
  // 64 hexadecimal digits.
  static std::optional<Digest> parse(std::string_view hex);

  std::string hex() const;
  bool is_zero() const { return *this == Digest(); }
  const std::array<uint8_t, kBytes>& bytes() const { return bytes_; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), kBytes}; }

  auto operator<=>(const Digest&) const = default;

 private:
  std::array<uint8_t, kBytes> bytes_{};
};

}  // namespace plz

template <>
struct std::hash<plz::Digest> {
  size_t operator()(const plz::Digest& digest) const noexcept {
    size_t value;
    memcpy(&value, digest.bytes().data(), sizeof value);
    return value;
  }
};
