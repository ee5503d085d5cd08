#include "db/database_contract.h"

#include <algorithm>

namespace plz {
namespace {

class BlobRecordsTest : public DatabaseContract {
 protected:
  BlobRemoval remove(const std::vector<Digest>& digests) {
    return *blobs().remove_unleased(digests, clock_.now(), *blobs().reference_changes());
  }
};

TEST_P(BlobRecordsTest, BlobsKeepTheirFirstRecord) {
  Uuid first = Uuid::make_v7(clock_), second = Uuid::make_v7(clock_), redundant = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, first), b = sample_blob(2, first), b2 = sample_blob(2, second),
             c = sample_blob(3, second);
  b2.offset = 999;
  ASSERT_TRUE(blobs().add_pack(first, 1000, std::vector{b, a}));
  ASSERT_TRUE(blobs().add_pack(second, 2000, std::vector{b2, c}));
  ASSERT_TRUE(blobs().add_pack(second, 2000, std::vector{b2, c}));
  ASSERT_TRUE(blobs().add_pack(redundant, 3000, std::vector{a}));
  auto found = *blobs().find(std::vector{c.digest, sample_digest(99), a.digest, b.digest, a.digest});
  EXPECT_EQ(found, (Found{c, std::nullopt, a, b, a}));
  EXPECT_EQ(*blobs().packs(), (Packs{first, second}));
  auto sizes = *blobs().pack_sizes();
  std::sort(sizes.begin(), sizes.end());
  ASSERT_EQ(sizes.size(), 2u);
  EXPECT_EQ(std::min(sizes[0].first, sizes[1].first), std::min(first, second));
  for (const auto& [pack, bytes] : sizes) EXPECT_LE(bytes, pack == first ? 1000u : 2000u);
  auto totals = *blobs().totals();
  EXPECT_EQ(totals.blobs, 3u);
  EXPECT_EQ(totals.bytes, 300u);
  EXPECT_EQ(totals.stored_bytes, 180u);
  EXPECT_EQ(totals.packs, 2u);
  EXPECT_EQ(*blobs().find({}), (Found{}));
}

TEST_P(BlobRecordsTest, WhatIsDamagedIsReplaced) {
  Uuid first = Uuid::make_v7(clock_), second = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, first), b = sample_blob(2, first), b2 = sample_blob(2, second);
  ASSERT_TRUE(blobs().add_pack(first, 1000, std::vector{a, b}));
  ASSERT_TRUE(blobs().mark_damaged(std::vector{a.digest}, "flipped"));
  ASSERT_TRUE(blobs().mark_damaged(std::vector{b.digest}, "cut"));
  ASSERT_TRUE(blobs().mark_damaged(std::vector{sample_digest(99)}, "unknown"));
  EXPECT_EQ(blobs().damaged()->size(), 2u);
  auto found = *blobs().find(std::vector{a.digest, b.digest});
  EXPECT_TRUE(found[0]->damaged);
  EXPECT_TRUE(found[1]->damaged);
  ASSERT_TRUE(blobs().mark_sound(a.digest));
  ASSERT_TRUE(blobs().add_pack(second, 500, std::vector{b2}));
  EXPECT_TRUE(blobs().damaged()->empty());
  EXPECT_EQ(*blobs().find(std::vector{a.digest, b.digest}), (Found{a, b2}));
  EXPECT_EQ(*blobs().packs(), (Packs{first, second}));
  EXPECT_EQ((*blobs().totals()).blobs, 2u);
  ASSERT_TRUE(blobs().mark_damaged(std::vector{a.digest}, "flipped"));
  EXPECT_EQ(remove({a.digest}), BlobRemoval::removed);
  EXPECT_TRUE(blobs().damaged()->empty());
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
  EXPECT_EQ(*blobs().leased_until(clock_.now()), clock_.now() + std::chrono::seconds(1));
  EXPECT_EQ(remove({a.digest}), BlobRemoval::leased);
  ASSERT_TRUE(blobs().hold_lease(lease, clock_.now() + std::chrono::seconds(10)));
  clock_.advance(std::chrono::seconds(5));
  EXPECT_EQ(remove({a.digest}), BlobRemoval::leased);
  EXPECT_EQ(*blobs().find(std::vector{a.digest}), (Found{a}));
  clock_.advance(std::chrono::seconds(5));
  EXPECT_EQ(*blobs().leased_until(clock_.now()), std::nullopt);
  EXPECT_EQ(remove({a.digest, c.digest, sample_digest(77)}), BlobRemoval::removed);
  EXPECT_EQ(*blobs().find(std::vector{a.digest, b.digest, c.digest}), (Found{std::nullopt, b, std::nullopt}));
  EXPECT_EQ(*blobs().packs(), (Packs{pack}));
  EXPECT_EQ((*blobs().totals()).bytes, 100u);
}

TEST_P(BlobRecordsTest, TheLeaseOfAnAttemptEndsWithItsExecution) {
  NewExecution one = sample_execution(clock_), other = sample_execution(clock_);
  for (NewExecution* created : {&one, &other}) {
    create(*created);
    created->execution.attempt_id = AttemptId::make(clock_);
    ASSERT_TRUE(*executions().save(created->execution, 0, std::nullopt, "", Durability::relaxed));
    LeaseId lease(created->execution.attempt_id->uuid());
    ASSERT_TRUE(blobs().hold_lease(lease, clock_.now() + std::chrono::hours(1)));
  }
  auto finish_attempt = [&](const Execution& execution) {
    Execution finished = finished_execution(execution, clock_);
    finished.attempt_id = execution.attempt_id;
    return *executions().save(finished, 1, std::nullopt, "", Durability::relaxed);
  };
  ASSERT_TRUE(finish_attempt(one.execution));
  EXPECT_TRUE(blobs().leased_until(clock_.now())->has_value());
  ASSERT_TRUE(finish_attempt(other.execution));
  EXPECT_EQ(*blobs().leased_until(clock_.now()), std::nullopt);
}

TEST_P(BlobRecordsTest, NothingIsRemovedOnTheGroundOfOldReferences) {
  Uuid pack = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, pack);
  ASSERT_TRUE(blobs().add_pack(pack, 1000, std::vector{a}));
  auto outdated = [&](uint64_t changes) {
    return *blobs().remove_unleased(std::vector{a.digest}, clock_.now(), changes) == BlobRemoval::outdated;
  };
  uint64_t before = *blobs().reference_changes();
  ExecutionId id = create(sample_execution(clock_));
  EXPECT_TRUE(outdated(before));
  before = *blobs().reference_changes();
  finish(id);
  ASSERT_TRUE((*executions().find(id))->execution.output_tree);
  EXPECT_TRUE(outdated(before));
  before = *blobs().reference_changes();
  Uuid other = Uuid::make_v7(clock_);
  ASSERT_TRUE(blobs().add_pack(other, 1000, std::vector{sample_blob(2, other)}));
  EXPECT_TRUE(outdated(before));
  EXPECT_EQ(*blobs().find(std::vector{a.digest}), (Found{a}));
  before = *blobs().reference_changes();
  ASSERT_TRUE(executions().remove(id));
  EXPECT_FALSE(outdated(before));
}

TEST_P(BlobRecordsTest, AnExecutionIsCreatedOnlyOverWhatItRequires) {
  Uuid pack = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, pack);
  ASSERT_TRUE(blobs().add_pack(pack, 1000, std::vector{a}));
  NewExecution execution = sample_execution(clock_);
  execution.required = {a.digest, sample_digest(2)};
  auto refused = executions().create({execution}, "key");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_NE(refused.error().message.find(sample_digest(2).hex()), std::string::npos);
  EXPECT_EQ(*executions().find(execution.execution.id), std::nullopt);
  execution.required = {a.digest};
  EXPECT_EQ(*executions().create({execution}, "key"), execution.execution.id);
}

TEST_P(BlobRecordsTest, EachIsVisitedInOrder) {
  Uuid first = Uuid::make_v7(clock_), second = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, second), b = sample_blob(2, first), c = sample_blob(3, second);
  ASSERT_TRUE(blobs().add_pack(first, 1000, std::vector{b}));
  ASSERT_TRUE(blobs().add_pack(second, 1000, std::vector{a, c}));
  std::vector<BlobRecord> expected{a, b, c}, visited;
  std::sort(expected.begin(), expected.end(), [](const auto& x, const auto& y) { return x.digest < y.digest; });
  ASSERT_TRUE(blobs().each([&](const BlobRecord& blob) { return visited.push_back(blob), true; }));
  EXPECT_EQ(visited, expected);
  visited.clear();
  ASSERT_TRUE(blobs().each([&](const BlobRecord& blob) { return visited.push_back(blob), false; }));
  EXPECT_EQ(visited.size(), 1u);
}

TEST_P(BlobRecordsTest, AReplacedPackKeepsItsPlace) {
  // Neither the order of the ids nor that of the new packs counts.
  Uuid later = Uuid::make_v7(clock_), rewritten = Uuid::make_v7(clock_), earlier = Uuid::make_v7(clock_);
  BlobRecord a = sample_blob(1, earlier), b = sample_blob(2, earlier), c = sample_blob(3, later);
  ASSERT_TRUE(blobs().add_pack(earlier, 1000, std::vector{a, b}));
  ASSERT_TRUE(blobs().add_pack(later, 1000, std::vector{c}));
  EXPECT_EQ(*blobs().packs(), (Packs{earlier, later}));
  BlobRecord moved = b;
  moved.pack = rewritten;
  moved.offset = 72;
  auto refused = blobs().replace_pack(earlier, rewritten, 500, std::vector{moved});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(remove({a.digest}), BlobRemoval::removed);
  ASSERT_FALSE(blobs().replace_pack(earlier, rewritten, 500, std::vector{c}));
  ASSERT_TRUE(blobs().replace_pack(earlier, rewritten, 500, std::vector{moved}));
  EXPECT_EQ(*blobs().packs(), (Packs{rewritten, later}));
  EXPECT_EQ(*blobs().find(std::vector{a.digest, b.digest, c.digest}), (Found{std::nullopt, moved, c}));
  EXPECT_EQ((*blobs().totals()).packs, 2u);
  ASSERT_FALSE(blobs().replace_pack(earlier, rewritten, 500, std::vector{moved}));
  EXPECT_EQ(remove({b.digest}), BlobRemoval::removed);
  EXPECT_EQ(*blobs().packs(), (Packs{later}));
}

PLZ_FOR_ALL_DATABASES(BlobRecordsTest);

}  // namespace
}  // namespace plz
