// What every log store must do, and what files do besides.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "logs/file_log_store.h"
#include "logs/file_log_store_fixture_test.h"
#include "logs/log_store.h"
#include "logs/memory_log_store.h"
#include "os/file.h"

namespace plz {
namespace {

struct LogStoreFactory {
  std::string name;
  std::function<std::unique_ptr<LogStore>(const std::string& directory)> make;
};

class LogStoreContract : public ::testing::TestWithParam<LogStoreFactory> {
 protected:
  LogStoreContract() {
    char name[] = "/tmp/plz_logs_test_XXXXXX";
    directory_ = mkdtemp(name);
    store_ = GetParam().make(directory_ + "/logs");
  }
  ~LogStoreContract() override { (void)remove_tree(directory_); }

  std::string read(const Uuid& log, uint64_t offset = 0, size_t size = 1000) {
    std::string text(size, '?');
    text.resize(*store_->read(log, offset, text.data(), size));
    return text;
  }
  uint64_t append(std::string_view bytes) { return store_->append(log_, store_->state(log_)->bytes, bytes)->bytes; }
  Timestamp at(int seconds) { return Timestamp(std::chrono::seconds(1'000'000 + seconds)); }
  uint64_t offset_at(int seconds) { return *store_->offset_at(log_, at(seconds)); }

  FakeClock clock_;
  std::string directory_;
  std::unique_ptr<LogStore> store_;
  Uuid log_ = Uuid::make_v7(clock_);
};

TEST_P(LogStoreContract, AppendsAndReads) {
  EXPECT_EQ(store_->state(log_)->bytes, 0u);
  EXPECT_EQ(read(log_), "");
  EXPECT_EQ(store_->append(log_, 0, "hello ")->bytes, 6u);
  EXPECT_EQ(store_->append(log_, 6, std::string_view("wor\0ld", 6))->bytes, 12u);
  EXPECT_EQ(read(log_), std::string("hello wor\0ld", 12));
  EXPECT_EQ(read(log_, 4, 3), "o w");
  EXPECT_EQ(read(log_, 12), "");
  EXPECT_EQ(read(log_, 99), "");
  EXPECT_EQ(read(Uuid::make_v7(clock_)), "");
  EXPECT_FALSE(store_->state(log_)->sealed);
}

TEST_P(LogStoreContract, RepeatedReportsNeitherDoubleNorLose) {
  append("abcdef");
  EXPECT_EQ(store_->append(log_, 4, "efgh")->bytes, 8u);
  EXPECT_EQ(store_->append(log_, 0, "abc")->bytes, 8u);
  EXPECT_EQ(store_->append(log_, 8, "")->bytes, 8u);
  EXPECT_EQ(read(log_), "abcdefgh");
  auto gap = store_->append(log_, 9, "j");
  ASSERT_FALSE(gap);
  EXPECT_EQ(gap.error().code, ErrorCode::conflict);
  EXPECT_NE(gap.error().message.find("8 bytes"), std::string::npos);
  EXPECT_EQ(read(log_), "abcdefgh");
}

TEST_P(LogStoreContract, ASealedLogStaysAsItIs) {
  append("abc");
  ASSERT_TRUE(store_->seal(log_));
  ASSERT_TRUE(store_->seal(log_));
  EXPECT_TRUE(store_->state(log_)->sealed);
  EXPECT_EQ(store_->append(log_, 3, "d").error().code, ErrorCode::conflict);
  EXPECT_EQ(store_->append(log_, 1, "bc")->bytes, 3u);
  EXPECT_EQ(read(log_), "abc");
  Uuid empty = Uuid::make_v7(clock_);
  ASSERT_TRUE(store_->seal(empty));
  EXPECT_TRUE(store_->state(empty)->sealed);
  EXPECT_EQ(store_->state(empty)->bytes, 0u);
}

TEST_P(LogStoreContract, RemovedLogsAreEmpty) {
  append("abc");
  ASSERT_TRUE(store_->add_marks(log_, {{at(0), 0}}));
  ASSERT_TRUE(store_->seal(log_));
  ASSERT_TRUE(store_->remove(log_));
  EXPECT_EQ(store_->state(log_)->bytes, 0u);
  EXPECT_FALSE(store_->state(log_)->sealed);
  EXPECT_EQ(offset_at(0), 0u);
  ASSERT_TRUE(store_->remove(log_));
  EXPECT_EQ(append("new"), 3u);
}

TEST_P(LogStoreContract, MarksLeadToOffsets) {
  EXPECT_EQ(offset_at(0), 0u);
  append(std::string(100, 'x'));
  EXPECT_EQ(offset_at(0), 100u);
  ASSERT_TRUE(store_->add_marks(log_, {{at(10), 0}, {at(20), 30}}));
  ASSERT_TRUE(store_->add_marks(log_, {{at(30), 60}, {at(40), 500}}));
  EXPECT_EQ(offset_at(-5), 0u);
  EXPECT_EQ(offset_at(10), 0u);
  EXPECT_EQ(offset_at(11), 30u);
  EXPECT_EQ(offset_at(20), 30u);
  EXPECT_EQ(*store_->offset_at(log_, at(20) + std::chrono::milliseconds(900)), 30u);
  EXPECT_EQ(offset_at(25), 60u);
  EXPECT_EQ(offset_at(35), 100u);
  EXPECT_EQ(offset_at(99), 100u);
}

TEST_P(LogStoreContract, MarksSurviveAClockThatJumpsBack) {
  append(std::string(100, 'x'));
  ASSERT_TRUE(store_->add_marks(log_, {{at(5000), 10}, {at(1400), 20}, {at(1410), 30}}));
  ASSERT_TRUE(store_->add_marks(log_, {{at(5010), 40}, {at(5020), 30}, {at(5020), 50}}));
  EXPECT_EQ(offset_at(1405), 10u);
  EXPECT_EQ(offset_at(5000), 10u);
  EXPECT_EQ(offset_at(5002), 40u);
  EXPECT_EQ(offset_at(5015), 50u);
}

TEST_P(LogStoreContract, RepeatedMarksAreDropped) {
  append(std::string(100, 'x'));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store_->add_marks(log_, {{at(10 + 10 * i), 0}, {at(15), 30}}));
  EXPECT_EQ(offset_at(10), 0u);
  EXPECT_EQ(offset_at(15), 30u);
  EXPECT_EQ(offset_at(17), 100u);
}

TEST_P(LogStoreContract, WakesSubscribersUntilTheyLeave) {
  int here = 0, gone = 0, other = 0;
  auto token = store_->subscribe(log_, [&] { ++here; });
  auto leaving = store_->subscribe(log_, [&] { ++gone; });
  auto of_other = store_->subscribe(Uuid::make_v7(clock_), [&] { ++other; });
  append("a");
  leaving.reset();
  append("b");
  append("");
  EXPECT_FALSE(store_->append(log_, 99, "z"));
  ASSERT_TRUE(store_->seal(log_));
  EXPECT_EQ(here, 3);
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(other, 0);
}

TEST_P(LogStoreContract, AWakeSeesTheBytesAndMayLeave) {
  std::shared_ptr<void> token;
  uint64_t seen = 0;
  token = store_->subscribe(log_, [&] {
    seen = store_->state(log_)->bytes;
    token.reset();
  });
  append("abc");
  append("def");
  EXPECT_EQ(seen, 3u);
}

TEST_P(LogStoreContract, TokensMayOutliveTheStore) {
  auto token = store_->subscribe(log_, [] {});
  store_.reset();
  token.reset();
}

TEST_P(LogStoreContract, ReadersFollowAWriter) {
  std::atomic<bool> sealed = false;
  std::jthread writer([&] {
    uint64_t at = 0;
    for (int i = 0; i < 500; ++i) at = store_->append(log_, at, "line " + std::to_string(i) + "\n")->bytes;
    sealed = store_->seal(log_).has_value();
  });
  std::string text;
  while (!store_->state(log_)->sealed || text.size() < store_->state(log_)->bytes) text += read(log_, text.size(), 64);
  writer.join();
  EXPECT_TRUE(sealed);
  std::string expected;
  for (int i = 0; i < 500; ++i) expected += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(text, expected);
}

std::unique_ptr<LogStore> make_files(const std::string& directory) { return std::move(*FileLogStore::open(directory)); }

INSTANTIATE_TEST_SUITE_P(
    All, LogStoreContract,
    ::testing::Values(LogStoreFactory{"memory", [](const std::string&) { return std::make_unique<MemoryLogStore>(); }},
                      LogStoreFactory{"files", make_files}),
    [](const auto& info) { return info.param.name; });

class FileLogStoreTest : public FileLogStoreFixture {};

TEST_F(FileLogStoreTest, StateSurvives) {
  ASSERT_TRUE(store_->append(log_, 0, "abc"));
  ASSERT_TRUE(store_->add_marks(log_, {{clock_.now(), 1}}));
  reopen();
  EXPECT_EQ(store_->state(log_)->bytes, 3u);
  EXPECT_FALSE(store_->state(log_)->sealed);
  EXPECT_EQ(*store_->offset_at(log_, clock_.now()), 1u);
  ASSERT_TRUE(store_->seal(log_));
  reopen();
  EXPECT_TRUE(store_->state(log_)->sealed);
  EXPECT_EQ(store_->append(log_, 3, "d").error().code, ErrorCode::conflict);
  EXPECT_EQ(*read_file(path()), "abc");
}

TEST_F(FileLogStoreTest, AHalfWrittenMarkIsIgnored) {
  ASSERT_TRUE(store_->append(log_, 0, std::string(50, 'x')));
  ASSERT_TRUE(store_->add_marks(log_, {{clock_.now(), 10}}));
  std::string marks = *read_file(path(".marks"));
  ASSERT_TRUE(write_file_atomically(path(".marks"), marks + "torn", 0600, Sync::no));
  clock_.advance(std::chrono::seconds(100));
  ASSERT_TRUE(store_->add_marks(log_, {{clock_.now(), 20}}));
  EXPECT_EQ(*store_->offset_at(log_, clock_.now()), 20u);
  EXPECT_EQ(read_file(path(".marks"))->size(), 32u);
}

TEST_F(FileLogStoreTest, ManyLogsKeepFewDescriptors) {
  std::vector<Uuid> logs;
  for (int i = 0; i < 300; ++i) {
    logs.push_back(Uuid::make_v7(clock_));
    ASSERT_TRUE(store_->append(logs.back(), 0, "first"));
  }
  EXPECT_LT(list_directory("/proc/self/fd")->size(), 160u);
  for (const Uuid& log : logs) ASSERT_EQ(store_->append(log, 5, " second")->bytes, 12u);
}

// The limit on the size of files stands for a full disk: a write is cut short in the same way.
TEST_F(FileLogStoreTest, AFailedWriteIsTakenBack) {
  pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    bool good = store_->append(log_, 0, std::string(600, 'a')).has_value();
    auto full = store_->append(log_, 600, std::string(600, 'b'));
    good = good && !full && full.error().message.find(path()) != std::string::npos;
    good = good && store_->state(log_)->bytes == 600 && *file_size(path()) == 600;
    good = good && store_->append(log_, 600, std::string(400, 'c'))->bytes == 1000;
    _exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(*read_file(path()), std::string(600, 'a') + std::string(400, 'c'));
}

}  // namespace
}  // namespace plz
