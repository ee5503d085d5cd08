#include "store/pack_store_contract_test.h"

#include <cstdlib>

#include "os/file.h"

namespace plz {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PackStoreContract);

void PackStoreContract::SetUp() {
  std::string pattern = testing::TempDir() + "plz-packs-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  directory_ = pattern;
  store_ = GetParam()(directory_);
  ASSERT_NE(store_, nullptr);
}

void PackStoreContract::TearDown() {
  store_.reset();
  EXPECT_TRUE(remove_tree(directory_));
}

TEST_P(PackStoreContract, ReadsBackWhatWasAppended) {
  PackId id = new_id();
  auto writer = store_->create(id);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->append("hello "));
  ASSERT_TRUE((*writer)->append(""));
  ASSERT_TRUE((*writer)->append("world"));
  ASSERT_TRUE((*writer)->commit());
  EXPECT_EQ(*store_->size(id), 11u);
  EXPECT_EQ(read(id, 0, 11), "hello world");
  EXPECT_EQ(read(id, 6, 3), "wor");
  EXPECT_EQ(read(id, 11, 0), "");
}

TEST_P(PackStoreContract, KeepsNothingThatWasNotCommitted) {
  PackId id = new_id();
  {
    auto writer = store_->create(id);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->append("half"));
    EXPECT_EQ(store_->size(id).error().code, ErrorCode::not_found);
    EXPECT_TRUE(store_->list()->empty());
  }
  EXPECT_EQ(store_->size(id).error().code, ErrorCode::not_found);
  EXPECT_TRUE(store_->create(id));  // the name is free again
}

TEST_P(PackStoreContract, NeverReplacesAPack) {
  PackId id = stored("one");
  EXPECT_EQ(store_->create(id).error().code, ErrorCode::conflict);
  EXPECT_EQ(read(id, 0, 3), "one");
}

TEST_P(PackStoreContract, TellsAbsenceFromDamage) {
  char byte;
  EXPECT_EQ(store_->read(new_id(), 0, &byte, 1).error().code, ErrorCode::not_found);
  PackId id = stored("abc");
  EXPECT_EQ(store_->read(id, 3, &byte, 1).error().code, ErrorCode::damaged);
  EXPECT_EQ(store_->read(id, 1000, &byte, 1).error().code, ErrorCode::damaged);
}

TEST_P(PackStoreContract, RemovesAndLists) {
  PackId first = stored("1"), second = stored("2");
  read(first, 0, 1);
  EXPECT_EQ(*store_->list(), (std::vector{first, second}));
  ASSERT_TRUE(store_->remove(first));
  ASSERT_TRUE(store_->remove(first));
  char byte;
  EXPECT_EQ(store_->read(first, 0, &byte, 1).error().code, ErrorCode::not_found);
  EXPECT_EQ(*store_->list(), std::vector{second});
}

TEST_P(PackStoreContract, TellsWhatWasSettled) {
  PackId first = stored("1"), second = stored("2");
  EXPECT_EQ(*store_->unsettled(), (std::vector{first, second}));
  read(second, 0, 1);
  ASSERT_TRUE(store_->settle(second));
  ASSERT_TRUE(store_->settle(second));
  EXPECT_EQ(*store_->unsettled(), std::vector{first});
  EXPECT_EQ(*store_->list(), (std::vector{first, second}));
  EXPECT_EQ(read(second, 0, 1), "2");
  EXPECT_EQ(*store_->size(second), 1u);
  EXPECT_EQ(store_->create(second).error().code, ErrorCode::conflict);
  EXPECT_FALSE(store_->settle(new_id()));
  ASSERT_TRUE(store_->remove(first));
  EXPECT_TRUE(store_->unsettled()->empty());
}

TEST_P(PackStoreContract, ServesManyThreadsAtOnce) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([this, t] {
      for (int i = 0; i < 20; ++i) {
        std::string bytes = std::to_string(t * 100 + i);
        EXPECT_EQ(read(stored(bytes), 0, bytes.size()), bytes);
      }
    });
  threads.clear();
  EXPECT_EQ(store_->list()->size(), 80u);
}

}  // namespace plz
