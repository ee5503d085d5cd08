#include "db/database_contract.h"

namespace plz {
namespace {

class BlobRecordsTest : public DatabaseContract {};

TEST_P(BlobRecordsTest, BlobsKeepTheirFirstRecord) {
  Uuid first = Uuid::make_v7(clock_), second = Uuid::make_v7(clock_), redundant = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, first), b = sample_blob(2, first), b2 = sample_blob(2, second), c = sample_blob(3, second);
  b2.offset = 999;
  ASSERT_TRUE(blobs().add_pack(first, 1000, std::vector{b, a}));
  ASSERT_TRUE(blobs().add_pack(second, 2000, std::vector{b2, c}));
  ASSERT_TRUE(blobs().add_pack(second, 2000, std::vector{b2, c}));
  ASSERT_TRUE(blobs().add_pack(redundant, 3000, std::vector{a}));
  auto found = *blobs().find(std::vector{c.digest, sample_digest(99), a.digest, b.digest, a.digest});
  EXPECT_EQ(found, (Found{c, std::nullopt, a, b, a}));
  EXPECT_EQ(*blobs().packs(), (Packs{first, second}));
  auto totals = *blobs().totals();
  EXPECT_EQ(totals.blobs, 3u);
  EXPECT_EQ(totals.bytes, 300u);
  EXPECT_EQ(totals.stored_bytes, 180u);
  EXPECT_EQ(totals.packs, 2u);
  EXPECT_EQ(*blobs().find({}), (Found{}));
}

TEST_P(BlobRecordsTest, NothingIsRemovedUnderALease) {
  Uuid pack = Uuid::make_v7(clock_), other = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, pack), b = sample_blob(2, pack), c = sample_blob(3, other);
  ASSERT_TRUE(blobs().add_pack(pack, 1000, std::vector{a, b}));
  ASSERT_TRUE(blobs().add_pack(other, 1000, std::vector{c}));
  LeaseId lease = LeaseId::make(clock_), ended = LeaseId::make(clock_);
  ASSERT_TRUE(blobs().hold_lease(lease, clock_.now() + std::chrono::seconds(1)));
  ASSERT_TRUE(blobs().hold_lease(ended, clock_.now() + std::chrono::hours(1)));
  ASSERT_TRUE(blobs().end_lease(ended));
  EXPECT_FALSE(*blobs().remove_unleased(std::vector{a.digest}, clock_.now()));
  ASSERT_TRUE(blobs().hold_lease(lease, clock_.now() + std::chrono::seconds(10)));
  clock_.advance(std::chrono::seconds(5));
  EXPECT_FALSE(*blobs().remove_unleased(std::vector{a.digest}, clock_.now()));
  EXPECT_EQ(*blobs().find(std::vector{a.digest}), (Found{a}));
  clock_.advance(std::chrono::seconds(5));
  EXPECT_TRUE(*blobs().remove_unleased(std::vector{a.digest, c.digest, sample_digest(77)}, clock_.now()));
  EXPECT_EQ(*blobs().find(std::vector{a.digest, b.digest, c.digest}), (Found{std::nullopt, b, std::nullopt}));
  EXPECT_EQ(*blobs().packs(), (Packs{pack}));
  EXPECT_EQ((*blobs().totals()).bytes, 100u);
}

PLZ_FOR_ALL_DATABASES(BlobRecordsTest);

}  // namespace
}  // namespace plz
