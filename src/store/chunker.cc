#include "store/chunker.h"

#include <algorithm>
#include <array>

namespace plz {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014), seed 0: 256 numbers without a table to copy wrongly.
constexpr std::array<uint64_t, 256> make_gear_table() {
  std::array<uint64_t, 256> table{};
  uint64_t state = 0;
  for (auto& value : table) {
    state += 0x9e3779b97f4a7c15;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    value = z ^ (z >> 31);
  }
  return table;
}

constexpr auto kGear = make_gear_table();
constexpr size_t kWindowBytes = 64;
// Normalised chunking: two bits stricter than the average asks for before it, two bits laxer after.
constexpr uint64_t high_bits(int count) { return ~uint64_t{0} << (64 - count); }
constexpr uint64_t kStrictMask = high_bits(21);
constexpr uint64_t kLaxMask = high_bits(17);
static_assert(kAverageChunkBytes == size_t{1} << 19);
// A run of zeros hashes to -kGear[0]; it must not be cut before kMaxChunkBytes (zero_chunk.h).
static_assert(((0 - kGear[0]) & kLaxMask) != 0);

}  // namespace

size_t next_chunk_length(std::string_view bytes) {
  size_t end = std::min(bytes.size(), kMaxChunkBytes);
  if (end <= kMinChunkBytes) return end;
  auto data = reinterpret_cast<const uint8_t*>(bytes.data());
  uint64_t hash = 0;
  // A full window before the first place to cut: whether a place is a boundary depends on the 64
  // bytes before it alone, not on where the chunk began.
  size_t i = kMinChunkBytes - kWindowBytes;
  for (; i < kMinChunkBytes; ++i) hash = (hash << 1) + kGear[data[i]];
  for (size_t normal = std::min(end, kAverageChunkBytes); i < normal; ++i) {
    hash = (hash << 1) + kGear[data[i]];
    if ((hash & kStrictMask) == 0) return i + 1;
  }
  for (; i < end; ++i) {
    hash = (hash << 1) + kGear[data[i]];
    if ((hash & kLaxMask) == 0) return i + 1;
  }
  return end;
}

}  // namespace plz
