#include "db/database_contract.h"

namespace plz {
namespace {

class IdentityRecordsTest : public DatabaseContract {
 protected:
  IdentityRecords& identity() { return database_->identity(); }
};

TEST_P(IdentityRecordsTest, ADatabaseKnowsItsOpenings) {
  const DatabaseIdentity made = *identity().read();
  EXPECT_FALSE(made.id.is_nil());
  EXPECT_FALSE(made.settled);
  EXPECT_FALSE(made.older);
  const Uuid first = *identity().open(), second = *identity().open();
  EXPECT_NE(first, second);
  EXPECT_TRUE(*identity().was_opened(first));
  EXPECT_TRUE(*identity().was_opened(second));
  EXPECT_FALSE(*identity().was_opened(Uuid::make_v7(clock_)));
  ASSERT_TRUE(identity().settle());
  EXPECT_TRUE(identity().read()->settled);
  EXPECT_EQ(identity().read()->id, made.id);
}

TEST_P(IdentityRecordsTest, PacksThatLostTheirRecordsAreKnownAsDropped) {
  Uuid first = Uuid::make_v7(clock_), redundant = Uuid::make_v7(clock_), anew = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, first), b = sample_blob(2, first);
  ASSERT_TRUE(blobs().add_pack(first, 1000, std::vector{a, b}));
  EXPECT_EQ(*blobs().dropped_packs(), Packs{});
  ASSERT_TRUE(blobs().add_pack(redundant, 1000, std::vector{a}));
  EXPECT_EQ(*blobs().dropped_packs(), Packs{redundant});
  ASSERT_TRUE(blobs().forget_dropped_pack(redundant));
  ASSERT_TRUE(blobs().replace_pack(first, anew, 900, std::vector{a, b}));
  EXPECT_EQ(*blobs().dropped_packs(), Packs{first});
  ASSERT_EQ(*blobs().remove_unleased(std::vector{a.digest}, clock_.now(), *blobs().reference_changes()),
            BlobRemoval::removed);
  EXPECT_EQ(*blobs().dropped_packs(), Packs{first});
  ASSERT_EQ(*blobs().remove_unleased(std::vector{b.digest}, clock_.now(), *blobs().reference_changes()),
            BlobRemoval::removed);
  EXPECT_EQ(*blobs().dropped_packs(), (Packs{first, anew}));
}

PLZ_FOR_ALL_DATABASES(IdentityRecordsTest);

}  // namespace
}  // namespace plz
