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

// The first place in [from, to) behind which a boundary lies, or `to`; `hash` is of what is before
// `from`. Four bytes a turn: one after the other, each would wait for the hash of the one before.
size_t find_boundary(const uint8_t* data, size_t from, size_t to, uint64_t mask, uint64_t& hash) {
  size_t i = from;
  uint64_t h = hash;
  for (; i + 4 <= to; i += 4) {
    uint64_t g0 = kGear[data[i]], g1 = kGear[data[i + 1]], g2 = kGear[data[i + 2]], g3 = kGear[data[i + 3]];
    uint64_t two = (g0 << 1) + g1;
    uint64_t h1 = (h << 1) + g0;
    uint64_t h2 = (h << 2) + two;
    uint64_t h3 = (h2 << 1) + g2;
    h = (h << 4) + (two << 2) + (g2 << 1) + g3;
    if ((h1 & mask) == 0) return i;
    if ((h2 & mask) == 0) return i + 1;
    if ((h3 & mask) == 0) return i + 2;
    if ((h & mask) == 0) return i + 3;
  }
  for (; i < to; ++i) {
    h = (h << 1) + kGear[data[i]];
    if ((h & mask) == 0) return i;
  }
  hash = h;
  return to;
}

}  // namespace

size_t next_chunk_length(std::string_view bytes) {
  size_t end = std::min(bytes.size(), kMaxChunkBytes);
  if (end <= kMinChunkBytes) return end;
  auto data = reinterpret_cast<const uint8_t*>(bytes.data());
  uint64_t hash = 0;
  // A full window before the first place to cut: whether a place is a boundary depends on the 64
  // bytes before it alone, not on where the chunk began.
  for (size_t i = kMinChunkBytes - kWindowBytes; i < kMinChunkBytes; ++i) hash = (hash << 1) + kGear[data[i]];
  size_t normal = std::min(end, kAverageChunkBytes);
  size_t found = find_boundary(data, kMinChunkBytes, normal, kStrictMask, hash);
  if (found == normal) found = find_boundary(data, normal, end, kLaxMask, hash);
  return std::min(found + 1, end);
}

}  // namespace plz
