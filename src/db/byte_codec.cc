#include "db/byte_codec.h"

#include <bit>
#include <cstring>

namespace plz {

static_assert(std::endian::native == std::endian::little, "real() writes the bytes as they lie");

void ByteWriter::number(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
}

void ByteWriter::signed_number(int64_t value) {
  number(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
}

void ByteWriter::real(double value) {
  char bytes[sizeof value];
  memcpy(bytes, &value, sizeof value);
  raw({bytes, sizeof bytes});
}

void ByteWriter::text(std::string_view value) {
  number(value.size());
  raw(value);
}

uint64_t ByteReader::number() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  refuse();
  return 0;
}

int64_t ByteReader::signed_number() {
  uint64_t value = number();
  return static_cast<int64_t>(value >> 1 ^ (0 - (value & 1)));
}

double ByteReader::real() {
  double value = 0;
  std::string_view bytes = raw(sizeof value);
  if (ok_) memcpy(&value, bytes.data(), sizeof value);
  return value;
}

bool ByteReader::flag() {
  uint64_t value = number();
  if (value > 1) refuse();
  return value == 1;
}

std::string_view ByteReader::raw(uint64_t size) {
  if (size > rest_.size()) {
    refuse();
    return {};
  }
  std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

size_t ByteReader::count() {
  uint64_t value = number();
  if (value <= rest_.size()) return value;
  refuse();
  return 0;
}

}  // namespace plz
