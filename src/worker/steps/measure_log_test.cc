#include "worker/steps/measure_log.h"

#include <gtest/gtest.h>

#include <fcntl.h>

#include "os/file.h"
#include "worker/fake_controller.h"

namespace plz {
namespace {

using namespace testing_worker;

MeasureEvent event(std::string path, std::string value, std::optional<int64_t> index = {}) {
  return {0, std::move(path), Timestamp(std::chrono::microseconds(5)), JsonText{std::move(value)}, index};
}

class MeasureLogTest : public testing::Test {
 protected:
  MeasureLogTest() { open(); }
  void open() {
    log_ = std::make_unique<MeasureLog>(path());
    known_.clear();
    ASSERT_TRUE(log_->open([&](const MeasureEvent& event, const MeasureStamp& stamp) {
      known_.push_back(event.path);
      last_stamp_ = stamp;
    }));
  }
  void keep(const MeasureEvent& event, const MeasureStamp& stamp) { ASSERT_TRUE(log_->add(event, stamp)); }
  std::string path() const { return directory_.path() + "/measures.log"; }
  std::vector<std::string> next(size_t events = 100, size_t bytes = 1'000) {
    std::vector<std::string> values;
    auto given = log_->next(events, bytes);
    EXPECT_TRUE(given);
    for (const auto& event : *given) values.push_back(std::to_string(event.sequence) + event.value.text);
    return values;
  }

  TemporaryDirectory directory_{in_memory()};
  std::unique_ptr<MeasureLog> log_;
  std::vector<std::string> known_;
  MeasureStamp last_stamp_;
};

using Entries = std::vector<std::string>;

TEST_F(MeasureLogTest, GivesEachUntilItIsTaken) {
  keep(event("a", "1"), {});
  keep(event("b", "{\n \"x\": NaN}\n"), {});
  EXPECT_TRUE(next().empty());
  ASSERT_TRUE(log_->flush());
  EXPECT_EQ(next(), (Entries{"11", "2{\n \"x\": NaN}\n"}));
  EXPECT_EQ(next().size(), 2u);
  EXPECT_FALSE(log_->all_taken());
  log_->taken();
  EXPECT_TRUE(log_->all_taken());
  EXPECT_TRUE(next().empty());
}

TEST_F(MeasureLogTest, LimitsWhatItGivesAtOnce) {
  for (auto value : {"aaaa", "bbbb", "cc"}) keep(event("p", value), {});
  ASSERT_TRUE(log_->flush());
  EXPECT_EQ(next(100, 3), Entries{"1aaaa"});  // one at least
  log_->taken();
  EXPECT_EQ(next(100, 6), (Entries{"2bbbb", "3cc"}));
  EXPECT_EQ(next(1, 100), Entries{"2bbbb"});
}

TEST_F(MeasureLogTest, ALaterProcessGivesThemAgainUnderTheirNumbers) {
  keep(event("a/ñ\n", "1", 7), {1, 2, -3, 4, 5});
  ASSERT_TRUE(log_->flush());
  next();
  log_->taken();
  open();
  EXPECT_EQ(known_, Entries{"a/ñ\n"});
  EXPECT_EQ(last_stamp_.mtime_ns, -3);
  EXPECT_EQ(last_stamp_.content_hash, 5u);
  keep(event("b", "2"), {});
  ASSERT_TRUE(log_->flush());
  auto given = log_->next(100, 100);
  ASSERT_TRUE(given);
  ASSERT_EQ(given->size(), 2u);
  auto expected = event("a/ñ\n", "1", 7);
  expected.sequence = 1;
  EXPECT_EQ(given->at(0), expected);
  EXPECT_EQ(given->at(1).sequence, 2u);
}

TEST_F(MeasureLogTest, LargeValuesKeepTheirPlace) {
  std::string large(1 << 20, '1');
  keep(event("a", "1"), {});
  keep(event("b", large), {});
  keep(event("c", "3"), {});
  ASSERT_TRUE(log_->flush());
  EXPECT_EQ(next(100, 10'000'000), (Entries{"11", "2" + large, "33"}));
}

TEST_F(MeasureLogTest, AnUnfinishedEndIsCutOff) {
  keep(event("a", "1"), {});
  keep(event("b", "22"), {});
  ASSERT_TRUE(log_->flush());
  std::string whole = *read_file(path());
  for (size_t size = whole.size() - 1; size > whole.size() / 2; --size) {
    write_text(path(), whole.substr(0, size));
    open();
    EXPECT_EQ(known_, Entries{"a"}) << size;
    keep(event("c", "3"), {});
    ASSERT_TRUE(log_->flush());
    EXPECT_EQ(next(), (Entries{"11", "23"}));
  }
}

}  // namespace
}  // namespace plz
