#include "store/chunker.h"

#include <set>

#include <gtest/gtest.h>

#include "store/capture/random_bytes_test.h"
#include "store/hasher.h"

namespace plz {
namespace {

std::vector<std::string_view> cut(std::string_view bytes) {
  std::vector<std::string_view> chunks;
  while (!bytes.empty()) {
    chunks.push_back(bytes.substr(0, next_chunk_length(bytes)));
    bytes.remove_prefix(chunks.back().size());
  }
  return chunks;
}

TEST(Chunker, KeepsToItsSizes) {
  auto bytes = random_bytes(64u << 20, 1);
  auto chunks = cut(bytes);
  for (size_t i = 0; i + 1 < chunks.size(); ++i) {
    EXPECT_GE(chunks[i].size(), kMinChunkBytes);
    EXPECT_LE(chunks[i].size(), kMaxChunkBytes);
  }
  size_t average = bytes.size() / chunks.size();
  EXPECT_GT(average, kAverageChunkBytes * 3 / 4);
  EXPECT_LT(average, kAverageChunkBytes * 3 / 2);
}

// A change of the boundaries re-sends every large file that was ever stored.
TEST(Chunker, CutsWhereItAlwaysDid) {
  auto bytes = random_bytes(4u << 20, 2);
  std::vector<size_t> lengths;
  for (auto chunk : cut(bytes)) lengths.push_back(chunk.size());
  EXPECT_EQ(lengths, (std::vector<size_t>{819338, 569700, 170422, 624889, 881321, 573182, 555452}));
}

TEST(Chunker, AnInsertionMovesFewChunks) {
  auto before = random_bytes(32u << 20, 3);
  auto after = before;
  after.insert(10'000'000, "a few bytes");
  std::set<std::string_view> known;
  auto old_chunks = cut(before);
  for (auto chunk : old_chunks) known.insert(chunk);
  size_t fresh = 0;
  for (auto chunk : cut(after)) fresh += !known.contains(chunk);
  EXPECT_LE(fresh, 3u);
}

TEST(Chunker, CutsZerosAtTheLargestSize) {
  std::string zeros(kMaxChunkBytes + 5, '\0');
  EXPECT_EQ(next_chunk_length(zeros), kMaxChunkBytes);
}

TEST(Chunker, TakesSmallInputWhole) {
  EXPECT_EQ(next_chunk_length(""), 0u);
  EXPECT_EQ(next_chunk_length("x"), 1u);
  EXPECT_EQ(next_chunk_length(std::string(kMinChunkBytes, 'x')), kMinChunkBytes);
}

TEST(ChunkList, IsDecodedAsEncoded) {
  std::vector<ChunkReference> chunks = {{digest_of("a"), 1}, {digest_of("b"), kMaxChunkBytes}};
  auto bytes = encode_chunk_list(chunks);
  EXPECT_EQ(*decode_chunk_list(bytes), chunks);
  EXPECT_TRUE(decode_chunk_list(encode_chunk_list({}))->empty());
}

TEST(ChunkList, RefusesWhatIsNotOne) {
  auto bytes = encode_chunk_list({{digest_of("a"), 1}});
  EXPECT_FALSE(decode_chunk_list(""));
  EXPECT_FALSE(decode_chunk_list("PLZCHNK2"));
  for (size_t size = 9; size < bytes.size(); ++size) EXPECT_FALSE(decode_chunk_list(bytes.substr(0, size)));
  EXPECT_FALSE(decode_chunk_list(encode_chunk_list({{digest_of("a"), 0}})));
  EXPECT_FALSE(decode_chunk_list(encode_chunk_list({{digest_of("a"), kMaxChunkBytes + 1}})));
}

}  // namespace
}  // namespace plz
