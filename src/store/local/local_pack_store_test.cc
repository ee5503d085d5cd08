#include "store/local/local_pack_store.h"

#include <unistd.h>

#include "os/file.h"
#include "store/pack_store_contract_test.h"

namespace plz {
namespace {

std::unique_ptr<PackStore> make_local(const std::string& directory) {
  auto store = LocalPackStore::open(directory);
  return store ? std::move(*store) : nullptr;
}
INSTANTIATE_TEST_SUITE_P(Local, PackStoreContract, testing::Values(make_local));

class LocalPackStoreTest : public PackStoreContract {};
INSTANTIATE_TEST_SUITE_P(Local, LocalPackStoreTest, testing::Values(make_local));

TEST_P(LocalPackStoreTest, RemovesLeftoversOfACrashWhenOpened) {
  PackId kept = stored("kept");
  std::string leftover = directory_ + "/packs/incoming/" + new_id().to_string();
  ASSERT_TRUE(write_file_atomically(leftover, "half", 0600, Sync::no));
  store_ = make_local(directory_);
  EXPECT_FALSE(path_exists(leftover));
  EXPECT_EQ(*store_->list(), std::vector{kept});
  EXPECT_EQ(read(kept, 0, 4), "kept");
}

TEST_P(LocalPackStoreTest, WhatIsSetAsideComesBack) {
  auto& local = static_cast<LocalPackStore&>(*store_);
  PackId settled = stored("one"), unsettled = stored("two"), other = stored("three");
  ASSERT_TRUE(store_->settle(settled));
  ASSERT_TRUE(local.set_aside(settled));
  ASSERT_TRUE(local.set_aside(unsettled));
  EXPECT_EQ(*store_->list(), std::vector{other});
  EXPECT_EQ(*local.take_back(), (std::vector{settled, unsettled}));
  EXPECT_EQ(*store_->list(), (std::vector{settled, unsettled, other}));
  EXPECT_EQ(*store_->unsettled(), std::vector{other});
  EXPECT_EQ(read(unsettled, 0, 3), "two");
  EXPECT_TRUE(local.take_back()->empty());
}

TEST_P(LocalPackStoreTest, SaysWhichPackIsCutShort) {
  PackId id = stored("0123456789");
  ASSERT_TRUE(store_->settle(id));
  std::string path = static_cast<LocalPackStore&>(*store_).path_of(id);
  ASSERT_EQ(truncate(path.c_str(), 5), 0);
  char bytes[10];
  auto result = store_->read(id, 0, bytes, 10);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find(path), std::string::npos);
}

TEST_P(LocalPackStoreTest, ReadsMorePacksThanItKeepsOpen) {
  std::vector<PackId> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(stored(std::to_string(i + 100)));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(read(ids[i], 0, 3), std::to_string(i + 100));
}

}  // namespace
}  // namespace plz
