#include "store/pack_format.h"

#include <gtest/gtest.h>

#include "store/capture/random_bytes_test.h"
#include "store/hasher.h"

namespace plz {
namespace {

std::vector<std::string> sample_blobs() {
  return {"", "short", std::string(100'000, 'z'), random_bytes(30'000), random_bytes(5000), std::string(129, 'q')};
}

std::string sample_pack() {
  std::string pack;
  for (const auto& blob : sample_blobs()) append_blob_to_pack(pack, digest_of(blob), blob);
  return pack;
}

Result<std::vector<std::string>> read_pack(std::string_view pack, size_t piece) {
  std::vector<std::string> blobs;
  PackBlobReader reader([&](const Digest& digest, std::string_view bytes) -> Result<void> {
    EXPECT_EQ(digest, digest_of(bytes));
    blobs.emplace_back(bytes);
    return {};
  });
  for (size_t at = 0; at < pack.size(); at += piece) PLZ_TRY(reader.feed(pack.substr(at, piece)));
  PLZ_TRY(reader.finish());
  return blobs;
}

Result<std::vector<std::pair<PackRecordHeader, uint64_t>>> parse_pack(std::string_view pack, size_t piece,
                                                                      bool verify) {
  std::vector<std::pair<PackRecordHeader, uint64_t>> records;
  PackParser parser({[&](const PackRecordHeader& header, uint64_t offset) -> Result<void> {
                      records.emplace_back(header, offset);
                      return {};
                    }},
                    verify);
  for (size_t at = 0; at < pack.size(); at += piece) PLZ_TRY(parser.feed(pack.substr(at, piece)));
  PLZ_TRY(parser.finish());
  return records;
}

TEST(Pack, IsReadBackInPiecesOfAnySize) {
  auto pack = sample_pack();
  for (size_t piece : {size_t{1}, size_t{7}, size_t{64}, size_t{4096}, pack.size()})
    EXPECT_EQ(*read_pack(pack, piece), sample_blobs()) << piece;
}

TEST(Pack, ParserFindsWhereEachBlobLies) {
  auto pack = sample_pack();
  for (bool verify : {false, true})
    for (size_t piece : {size_t{1}, size_t{1000}, pack.size()}) {
      auto records = parse_pack(pack, piece, verify);
      ASSERT_TRUE(records) << records.error().message;
      auto blobs = sample_blobs();
      ASSERT_EQ(records->size(), blobs.size());
      for (size_t i = 0; i < blobs.size(); ++i) {
        const auto& [header, offset] = (*records)[i];
        std::string out;
        ASSERT_TRUE(decode_blob(header.codec, std::string_view(pack).substr(offset, header.stored_bytes), header.bytes,
                                header.checksum, out));
        EXPECT_EQ(out, blobs[i]);
      }
    }
}

TEST(Pack, CompressesWhatShrinksAndLeavesTheRest) {
  auto records = *parse_pack(sample_pack(), 1 << 20, true);
  std::vector<Codec> codecs;
  for (const auto& [header, offset] : records) codecs.push_back(header.codec);
  EXPECT_EQ(codecs, (std::vector{Codec::raw, Codec::raw, Codec::zstd, Codec::raw, Codec::raw, Codec::zstd}));
  EXPECT_LT(records[2].first.stored_bytes, 1000u);
}

TEST(Pack, RefusesEveryTruncation) {
  std::string pack;
  append_blob_to_pack(pack, digest_of("one"), "one");
  size_t first = pack.size();
  append_blob_to_pack(pack, digest_of("two"), "two");
  for (size_t size = 0; size < pack.size(); ++size) {
    bool whole_records = size == kPackMagic.size() || size == first;
    EXPECT_EQ(parse_pack(pack.substr(0, size), 5, false).has_value(), whole_records) << size;
    EXPECT_EQ(read_pack(pack.substr(0, size), 5).has_value(), whole_records) << size;
  }
}

TEST(Pack, NoticesEveryChangedByte) {
  std::string pack;
  append_blob_to_pack(pack, digest_of(std::string(300, 'a')), std::string(300, 'a'));
  append_blob_to_pack(pack, digest_of("raw"), "raw");
  for (size_t at = 0; at < pack.size(); ++at) {
    auto damaged = pack;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_FALSE(parse_pack(damaged, damaged.size(), true)) << at;
  }
}

TEST(Pack, RefusesADigestThatIsNotOfTheBytes) {
  std::string pack;
  append_blob_to_pack(pack, digest_of("other"), "bytes");
  EXPECT_TRUE(parse_pack(pack, 100, false));
  EXPECT_EQ(parse_pack(pack, 100, true).error().code, ErrorCode::invalid);
}

TEST(Pack, RefusesImpossibleSizesBeforeMakingRoomForThem) {
  std::string pack;
  append_blob_to_pack(pack, digest_of("x"), "x");
  for (size_t at : {size_t{8 + 32 + 7}, size_t{8 + 40 + 7}}) {
    auto damaged = pack;
    damaged[at] = '\x7f';
    EXPECT_FALSE(parse_pack(damaged, 100, false));
    EXPECT_FALSE(read_pack(damaged, 100));
  }
}

TEST(Pack, ARefusalIsAnErrorWithItsWords) {
  for (auto [refusal, code] :
       {std::pair{Codec::damaged, ErrorCode::damaged}, std::pair{Codec::unavailable, ErrorCode::unavailable}}) {
    std::string pack;
    append_blob_to_pack(pack, digest_of("x"), "x");
    append_refusal_to_pack(pack, digest_of("y"), refusal, "it cannot be had");
    auto read = read_pack(pack, 7);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, code);
    EXPECT_EQ(read.error().message, "it cannot be had");
    EXPECT_EQ(parse_pack(pack, 7, false).error().code, ErrorCode::invalid);
  }
}

TEST(Pack, EndsWithTheErrorOfItsReceiver) {
  PackBlobReader reader(
      [](const Digest&, std::string_view) -> Result<void> { return fail(ErrorCode::unavailable, "disk full"); });
  auto result = reader.feed(sample_pack());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace plz
