#include "environment/build/tar_header.h"

#include <cstdio>
#include <cstring>

namespace plz {
namespace {

constexpr size_t kNameBytes = 100;

struct Block {
  char bytes[kTarBlock] = {};
  void put(size_t offset, std::string_view text) { memcpy(bytes + offset, text.data(), text.size()); }
  void octal(size_t offset, size_t width, uint64_t value) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%0*llo", static_cast<int>(width - 1), (unsigned long long)value);
    put(offset, {digits, static_cast<size_t>(length)});
  }
};

// Octal where it fits, else GNU's base 256.
void put_size(Block& block, uint64_t size) {
  constexpr size_t kAt = 124, kWidth = 12;
  if (size < (uint64_t{1} << 33)) return block.octal(kAt, kWidth, size);
  block.bytes[kAt] = static_cast<char>(0x80);
  for (size_t i = 0; i < 8; ++i) block.bytes[kAt + kWidth - 1 - i] = static_cast<char>(size >> (8 * i));
}

std::string block_of(char kind, std::string_view path, std::string_view target, mode_t mode, uint64_t size) {
  Block block;
  block.put(0, path.substr(0, kNameBytes));
  block.octal(100, 8, mode & 07777);
  block.octal(108, 8, 0);
  block.octal(116, 8, 0);
  put_size(block, size);
  block.octal(136, 12, 0);
  block.put(148, "        ");
  block.bytes[156] = kind;
  block.put(157, target.substr(0, kNameBytes));
  block.put(257, std::string_view("ustar  ", 8));
  unsigned sum = 0;
  for (char byte : block.bytes) sum += static_cast<unsigned char>(byte);
  block.octal(148, 7, sum);
  return std::string(block.bytes, kTarBlock);
}

std::string long_text(char kind, std::string_view text) {
  if (text.size() <= kNameBytes) return {};
  uint64_t size = text.size() + 1;
  std::string result = block_of(kind, "././@LongLink", "", 0644, size);
  result += text;
  result.append(1 + tar_padding(size), '\0');
  return result;
}

}  // namespace

std::string tar_header(TarKind kind, std::string_view path, std::string_view target, mode_t mode, uint64_t size) {
  std::string name(path);
  if (kind == TarKind::directory) name += '/';
  return long_text('K', target) + long_text('L', name) + block_of(static_cast<char>(kind), name, target, mode, size);
}

}  // namespace plz
