#include "db/sqlite/writer.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <latch>
#include <thread>

#include <gtest/gtest.h>

#include "os/file.h"

namespace plz {
namespace {

class WriterTest : public ::testing::Test {
 protected:
  WriterTest() {
    char name[] = "/tmp/plz_writer_test_XXXXXX";
    directory_ = mkdtemp(name);
    EXPECT_TRUE(open_file(directory_ + "/db", O_RDWR | O_CREAT, 0600));
    auto connection = std::move(*Connection::open(directory_ + "/db", Connection::Mode::read_write));
    EXPECT_TRUE(connection->execute("PRAGMA journal_mode = WAL; CREATE TABLE t (x INTEGER PRIMARY KEY)"));
    sqlite3_commit_hook(
        connection->handle(), [](void* count) { return ++*static_cast<int*>(count), 0; }, &commits_);
    writer_ = std::make_unique<Writer>(std::move(connection));
  }
  ~WriterTest() override {
    writer_.reset();
    (void)remove_tree(directory_);
  }

  // Runs all of them in one batch, behind a write that keeps the writer busy until they have gathered.
  std::vector<Result<void>> run_together(const std::vector<Writer::Write>& writes) {
    std::latch begun(1), gathered(1);
    std::jthread first([&] {
      (void)writer_->run(Durability::relaxed, [&](Connection&) -> Result<void> {
        begun.count_down();
        gathered.wait();
        return {};
      });
    });
    begun.wait();
    commits_ = 0;
    std::vector<Result<void>> results(writes.size());
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < writes.size(); ++i)
      threads.emplace_back(
          [&, i] { results[i] = writer_->run(i % 2 ? Durability::durable : Durability::relaxed, writes[i]); });
    while (writer_->waiting() < writes.size()) std::this_thread::yield();
    gathered.count_down();
    threads.clear();
    return results;
  }

  static Writer::Write insert(int x) {
    return
        [x](Connection& connection) { return connection.execute("INSERT INTO t VALUES (" + std::to_string(x) + ")"); };
  }
  int64_t sum() { return *writer_->connection().query_number("SELECT sum(x) FROM t"); }

  std::string directory_;
  int commits_ = 0;
  std::unique_ptr<Writer> writer_;
};

TEST_F(WriterTest, WhoMeetsIsCommittedTogether) {
  auto results = run_together({insert(1), insert(2), insert(4), insert(8)});
  for (const auto& result : results) EXPECT_TRUE(result);
  EXPECT_EQ(sum(), 15);
  EXPECT_EQ(commits_, 2);  // that of the busy one, and theirs
}

TEST_F(WriterTest, AFailureIsUndoneAndSpoilsNoOther) {
  auto half_done = [](Connection& connection) -> Result<void> {
    PLZ_TRY(insert(100)(connection));
    return fail(ErrorCode::not_found, "changed my mind");
  };
  auto results = run_together({insert(1), half_done, insert(2), insert(2), insert(4)});
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().message, "changed my mind");
  EXPECT_NE(results[2].has_value(), results[3].has_value());
  EXPECT_TRUE(results[4]);
  EXPECT_EQ(sum(), 7);
  EXPECT_EQ(commits_, 2);
}

// As SQLite does by itself when the disk is full.
TEST_F(WriterTest, WhoLosesTheTransactionLosesItAlone) {
  auto loses_it = [](Connection& connection) -> Result<void> {
    PLZ_TRY(insert(100)(connection));
    PLZ_TRY(connection.execute("ROLLBACK"));
    return fail(ErrorCode::unavailable, "the disk is full");
  };
  auto results = run_together({insert(1), loses_it, insert(2)});
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code, ErrorCode::unavailable);
  EXPECT_TRUE(results[2]);
  EXPECT_EQ(sum(), 3);
}

TEST_F(WriterTest, AFailureAloneIsUndone) {
  auto result = writer_->run(Durability::durable, [](Connection& connection) -> Result<void> {
    PLZ_TRY(insert(1)(connection));
    return fail(ErrorCode::invalid, "no");
  });
  EXPECT_EQ(result.error().message, "no");
  EXPECT_EQ(sum(), 0);
  EXPECT_TRUE(writer_->run(Durability::durable, insert(1)));
  EXPECT_EQ(sum(), 1);
}

}  // namespace
}  // namespace plz
