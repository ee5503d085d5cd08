#include "controller/services/blob_service.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "controller/text_body_test.h"
#include "db/memory/memory_database.h"
#include "store/hasher.h"
#include "store/memory/memory_pack_store.h"
#include "store/pack_format.h"
#include "store/tree.h"

namespace plz {
namespace {

// Of which packs can be lost and bytes flipped; counts what is read.
class DecayingPackStore final : public PackStore {
 public:
  std::set<std::pair<PackId, uint64_t>> flipped;  // by their offset
  std::map<PackId, Error> lost;
  int reads = 0;

  Result<std::unique_ptr<PackWriter>> create(PackId id) override { return store_.create(id); }
  Result<void> read(PackId id, uint64_t offset, void* buffer, size_t size) override {
    ++reads;
    if (auto error = lost.find(id); error != lost.end()) return fail(error->second);
    PLZ_TRY(store_.read(id, offset, buffer, size));
    if (flipped.contains({id, offset})) *static_cast<char*>(buffer) ^= 1;
    return {};
  }
  Result<uint64_t> size(PackId id) override {
    if (auto error = lost.find(id); error != lost.end()) return fail(error->second);
    return store_.size(id);
  }
  Result<void> remove(PackId id) override { return store_.remove(id); }
  Result<std::vector<PackId>> list() override { return store_.list(); }
  Result<void> settle(PackId id) override { return store_.settle(id); }
  Result<std::vector<PackId>> unsettled() override { return store_.unsettled(); }

 private:
  MemoryPackStore store_;
};

class BlobServiceTest : public testing::Test {
 protected:
  BlobServiceTest() : database_(make_memory_database()), blobs_(database_->blobs(), packs_, clock_) {}

  Digest put(const std::string& bytes) {
    const Digest digest = digest_of(bytes);
    append_blob_to_pack(pack_, digest, bytes);
    return digest;
  }
  void send() {
    TextBody body(std::exchange(pack_, {}));
    ASSERT_TRUE(blobs_.receive_pack(body, false));
  }
  Digest put_directory(const Digest& digest, EntryKind kind) {
    TreeEntry entry;
    entry.name = "x";
    entry.kind = kind;
    entry.digest = digest;
    return put(encode_tree({{entry}}));
  }
  BlobRecord record(const Digest& digest) { return *(*database_->blobs().find({&digest, 1}))[0]; }
  void flip(const Digest& digest) { packs_.flipped.insert({PackId(record(digest).pack), record(digest).offset}); }
  bool is_missing(const Digest& digest) { return blobs_.missing({&digest, 1})->at(0) != '\0'; }
  size_t marked() { return database_->blobs().damaged()->size(); }
  // What the fetch ends with.
  Result<void> fetch(const std::vector<Digest>& digests) {
    auto producer = *blobs_.fetch(digests);
    std::string pack;
    for (auto state = Producer::State::data; state == Producer::State::data;) {
      std::string piece;
      state = producer->produce(piece, 4096);
      EXPECT_NE(state, Producer::State::failed);
      pack += piece;
    }
    PackBlobReader reader([](const Digest&, std::string_view) { return Result<void>(); });
    PLZ_TRY(reader.feed(pack));
    return reader.finish();
  }

  FakeClock clock_;
  DecayingPackStore packs_;
  std::unique_ptr<Database> database_;
  BlobService blobs_;
  std::string pack_;
};

TEST_F(BlobServiceTest, AllThatIsDamagedInAPackIsMarkedAtOnce) {
  std::vector<Digest> digests;
  for (int i = 0; i < 6; ++i) digests.push_back(put("blob " + std::to_string(i)));
  send();
  const Digest elsewhere = put("elsewhere"), sound = put("sound");
  send();
  for (int i : {1, 2, 5}) flip(digests[i]);
  flip(elsewhere);
  EXPECT_EQ(fetch({digests[1], elsewhere, sound}).error().code, ErrorCode::damaged);
  EXPECT_EQ(marked(), 4u);
  EXPECT_FALSE(is_missing(digests[0]));
  EXPECT_FALSE(is_missing(sound));
  for (int i : {1, 2, 5}) EXPECT_TRUE(is_missing(digests[i]));
}

TEST_F(BlobServiceTest, EveryFailureOfReadingIsTold) {
  const Digest digest = put("bytes");
  send();
  const PackId pack(record(digest).pack);
  for (auto code : {ErrorCode::invalid, ErrorCode::internal, ErrorCode::not_found, ErrorCode::conflict}) {
    packs_.lost.insert_or_assign(pack, Error{code, "no such luck", {}});
    auto fetched = fetch({digest});
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code, ErrorCode::damaged);
    EXPECT_NE(fetched.error().message.find("no such luck"), std::string::npos) << fetched.error().message;
    EXPECT_TRUE(is_missing(digest));
  }
  packs_.lost.clear();
  EXPECT_TRUE(fetch({digest}));
  EXPECT_EQ(marked(), 0u);
  packs_.lost.emplace(pack, Error{ErrorCode::unavailable, "no memory", {}});
  auto fetched = fetch({digest});
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, ErrorCode::unavailable);
  EXPECT_NE(fetched.error().message.find("no memory"), std::string::npos) << fetched.error().message;
  EXPECT_EQ(marked(), 0u);
  EXPECT_FALSE(is_missing(digest));
}

TEST_F(BlobServiceTest, WhatLiesInAPackThatIsGoneIsMissing) {
  const Digest file = put("file");
  send();
  const Digest tree = put_directory(file, EntryKind::file);
  send();
  EXPECT_FALSE(is_missing(tree));
  packs_.lost.emplace(PackId(record(file).pack), Error{ErrorCode::not_found, "gone", {}});
  EXPECT_TRUE(is_missing(file));
  EXPECT_TRUE(is_missing(tree));
  put("file");
  send();
  EXPECT_FALSE(is_missing(file));
  EXPECT_FALSE(is_missing(tree));
}

TEST_F(BlobServiceTest, SoundTreesAreWalkedOnceUntilSomethingElseIsDamaged) {
  const Digest file = put("file"), unrelated = put("unrelated"), other = put("other");
  const Digest inner = put_directory(file, EntryKind::file);
  const Digest outer = put_directory(inner, EntryKind::directory);
  send();
  ASSERT_TRUE(database_->blobs().mark_damaged(std::vector{unrelated}, "flipped"));
  EXPECT_FALSE(is_missing(outer));
  EXPECT_EQ(std::exchange(packs_.reads, 0), 2);
  EXPECT_FALSE(is_missing(outer));
  EXPECT_FALSE(is_missing(inner));
  EXPECT_EQ(packs_.reads, 0);
  ASSERT_TRUE(database_->blobs().mark_damaged(std::vector{other}, "flipped"));
  EXPECT_FALSE(is_missing(outer));
  EXPECT_EQ(std::exchange(packs_.reads, 0), 2);
  ASSERT_TRUE(database_->blobs().mark_damaged(std::vector{file}, "flipped"));
  EXPECT_TRUE(is_missing(outer));
  EXPECT_TRUE(is_missing(inner));
}

}  // namespace
}  // namespace plz
