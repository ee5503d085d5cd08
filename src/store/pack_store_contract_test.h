// What every PackStore does. A backend's test file includes this and says how to make one:
//   INSTANTIATE_TEST_SUITE_P(Local, PackStoreContract, testing::Values(factory));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "store/pack_store.h"

namespace plz {

// A store with what it needs; `make` is given an empty directory.
using PackStoreFactory = std::function<std::unique_ptr<PackStore>(const std::string& directory)>;

class PackStoreContract : public testing::TestWithParam<PackStoreFactory> {
 protected:
  void SetUp() override;
  void TearDown() override;

  PackId new_id() { return PackId::make(clock_); }
  PackId stored(std::string_view bytes) {
    PackId id = new_id();
    auto writer = store_->create(id);
    EXPECT_TRUE(writer);
    EXPECT_TRUE((*writer)->append(bytes));
    EXPECT_TRUE((*writer)->commit());
    return id;
  }
  std::string read(PackId id, uint64_t offset, size_t size) {
    std::string bytes(size, '?');
    auto result = store_->read(id, offset, bytes.data(), size);
    EXPECT_TRUE(result) << result.error().message;
    return bytes;
  }

  SystemClock clock_;
  std::string directory_;
  std::unique_ptr<PackStore> store_;
};

}  // namespace plz
