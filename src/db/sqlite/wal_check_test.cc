#include "db/sqlite/wal_check.h"

#include <gtest/gtest.h>

#include "db/sqlite/sqlite_database.h"
#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

// A copy of a database in use: what a crash leaves.
class WalCheckTest : public testing::Test {
 protected:
  WalCheckTest() {
    auto database = *open_sqlite_database(directory_.path("live.db"));
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(database->identity().open());
    log_ = *read_file(directory_.path("live.db-wal"));
    record_ = *read_file(directory_.path("live.db-acknowledged"));
    EXPECT_TRUE(write_file_atomically(copy_, *read_file(directory_.path("live.db")), 0600, Sync::no));
    put_log(log_);
  }

  void put_log(const std::string& bytes) { EXPECT_TRUE(write_file_atomically(copy_ + "-wal", bytes, 0600, Sync::no)); }
  std::string flipped(size_t at) const {
    std::string bytes = log_;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    return bytes;
  }

  TemporaryDirectory directory_;
  const std::string copy_ = directory_.path("copy.db");
  std::string log_, record_;
};

// The record of commits tells a damaged frame from a write that was cut off, also in the last one.
TEST_F(WalCheckTest, DamageOfTheLastCommitIsFoundByItsRecord) {
  const std::string record = copy_ + "-acknowledged";
  ASSERT_TRUE(write_file_atomically(record, record_, 0600, Sync::no));
  EXPECT_TRUE(check_write_ahead_log(copy_));
  for (size_t back : {size_t{1}, size_t{4000}, size_t{4096 + 10}}) {
    put_log(flipped(log_.size() - back));
    ASSERT_FALSE(check_write_ahead_log(copy_)) << back;
    put_log(log_.substr(0, log_.size() - back));
    ASSERT_FALSE(check_write_ahead_log(copy_)) << back;
  }
  // More than was noted, as where the process ended in between, or another log's.
  put_log(log_ + std::string(1000, 'x'));
  EXPECT_TRUE(check_write_ahead_log(copy_));
  std::string other = record_;
  other[8] = static_cast<char>(other[8] ^ 1);
  ASSERT_TRUE(write_file_atomically(record, other, 0600, Sync::no));
  put_log(flipped(log_.size() - 1));
  EXPECT_TRUE(check_write_ahead_log(copy_));
}

TEST_F(WalCheckTest, AWholeLogIsTakenAndSoIsOneWhoseLastWriteWasCutOff) {
  EXPECT_TRUE(check_write_ahead_log(copy_));
  for (size_t cut : {1, 100, 4095, 4096 + 23}) {
    put_log(log_.substr(0, log_.size() - cut));
    EXPECT_TRUE(check_write_ahead_log(copy_)) << cut;
  }
}

TEST_F(WalCheckTest, DamageBeforeACommitIsFound) {
  ASSERT_GT(log_.size(), 32u + 2 * (24 + 4096));
  for (size_t at : {size_t{0}, size_t{9}, size_t{17}, size_t{25}, size_t{33}, size_t{41}, size_t{49}, size_t{100},
                    log_.size() / 2, log_.size() - 2 * (24 + 4096)}) {
    put_log(flipped(at));
    auto checked = check_write_ahead_log(copy_);
    ASSERT_FALSE(checked) << at;
    EXPECT_EQ(checked.error().code, ErrorCode::damaged) << at;
    EXPECT_NE(checked.error().message.find("copy.db-wal"), std::string::npos);
  }
}

TEST_F(WalCheckTest, ALogThatIsGoneOrEmptyIsFound) {
  put_log("");
  EXPECT_NE(check_write_ahead_log(copy_).error().message.find("is empty"), std::string::npos);
  ASSERT_TRUE(remove_tree(copy_ + "-wal"));
  EXPECT_NE(check_write_ahead_log(copy_).error().message.find("is gone"), std::string::npos);
}

}  // namespace
}  // namespace plz
