#include "worker/steps/measure_collector.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "os/file.h"
#include "wire/json_text.h"
#include "worker/fake_controller.h"

namespace plz {
namespace {

using namespace testing_worker;
using std::chrono::milliseconds;
using Values = std::map<std::string, std::string>;

class MeasureCollectorTest : public testing::Test {
 protected:
  MeasureCollectorTest() { open({{"", std::nullopt}}); }

  void open(std::vector<MeasureRoot> roots, const MeasureLimits& limits = {}) {
    for (const auto& each : roots) EXPECT_TRUE(make_directories(root() + "/" + each.path));
    log_ = std::make_unique<MeasureLog>(directory_.path() + "/measures.log");
    collector_ = std::make_unique<MeasureCollector>(root(), std::move(roots), *log_, clock_, limits);
    ASSERT_TRUE(log_->open([&](const auto& event, const auto& stamp) { collector_->know(event, stamp); }));
  }
  std::string root() const { return directory_.path() + "/measures"; }
  std::string file(const std::string& name) const { return root() + "/" + name; }

  // What is new, by path; with an index before it, if it has one.
  Values collect(bool final = false) {
    EXPECT_TRUE(final ? collector_->collect_rest() : collector_->collect());
    Values values;
    for (;;) {
      auto events = log_->next(1'000'000, 1u << 30);
      EXPECT_TRUE(events);
      log_->taken();
      if (events->empty()) return values;
      for (const auto& event : *events)
        values[(event.index ? std::to_string(*event.index) + ":" : "") + event.path] = event.value.text;
      if (log_->all_taken()) return values;
    }
  }

  TemporaryDirectory directory_{in_memory()};
  FakeClock clock_;
  std::unique_ptr<MeasureLog> log_;
  std::unique_ptr<MeasureCollector> collector_;
};

TEST_F(MeasureCollectorTest, KeepsWhateverAJobWrites) {
  const std::pair<const char*, const char*> table[] = {
      {"1.50\n", "1.50"},
      {"NaN", "NaN"},
      {"{\"loss\": NaN, \"best\": -Infinity}", "{\"loss\": NaN, \"best\": -Infinity}"},
      {"", "{\"base64_bytes\": \"\"}"},
      {"loss: 1", "{\"base64_bytes\": \"bG9zczogMQ==\"}"},
      {"\xff\xfe", "{\"base64_bytes\": \"//4=\"}"},
      {"{\"a\": 1", "{\"base64_bytes\": \"eyJhIjogMQ==\"}"},
  };
  for (const auto& [content, value] : table) {
    write_text(file("m"), content);
    EXPECT_EQ(collect(true), (Values{{"m", value}})) << content;
    ASSERT_TRUE(remove_tree(file("m")));
  }
  std::string deep = std::string(201, '[') + std::string(201, ']');
  EXPECT_EQ(measure_value(deep).text.substr(0, 18), "{\"base64_bytes\": \"");
}

TEST_F(MeasureCollectorTest, SeesClosedFilesAtOnceHoweverDeep) {
  collector_->watch();
  write_text(file("summary"), "1");
  write_text(file("epoch/3/loss"), "0.5");
  clock_.advance(kMeasureQuietTime);
  collect();  // new directories are watched from here on
  clock_.advance(kMeasureQuietTime);
  collect();
  write_text(file("epoch/3/accuracy"), "0.9");
  EXPECT_EQ(collect(), (Values{{"epoch/3/accuracy", "0.9"}}));
  ASSERT_EQ(rename(file("summary").c_str(), file("epoch/renamed").c_str()), 0);
  EXPECT_EQ(collect(), (Values{{"epoch/renamed", "1"}}));
}

TEST_F(MeasureCollectorTest, FindsWhatWasInADirectoryBeforeItWasWatched) {
  collector_->watch();
  write_text(file("epoch/1"), "0.5");
  Values first = collect();
  clock_.advance(kMeasureQuietTime + milliseconds(1));
  first.merge(collect());
  EXPECT_EQ(first, (Values{{"epoch/1", "0.5"}}));
}

TEST_F(MeasureCollectorTest, WaitsForHalfOfAText) {
  collector_->watch();
  auto half = open_file(file("m"), O_WRONLY | O_CREAT);
  ASSERT_TRUE(write_all(half->get(), "{\"loss\": "));
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(collect().empty());
    clock_.advance(kMeasureQuietTime);
  }
  EXPECT_TRUE(collector_->is_waiting());
  ASSERT_TRUE(write_all(half->get(), "1}"));
  EXPECT_TRUE(collect().empty());
  clock_.advance(kMeasureQuietTime);
  EXPECT_EQ(collect(), (Values{{"m", "{\"loss\": 1}"}}));
  half->reset();
  EXPECT_TRUE(collect().empty());
  EXPECT_FALSE(collector_->is_waiting());
}

TEST_F(MeasureCollectorTest, AFileThatIsWrittenAnewKeepsItsValueMeanwhile) {
  collector_->watch();
  write_text(file("m"), "0.5");
  EXPECT_EQ(collect(), (Values{{"m", "0.5"}}));
  for (auto between : {"", "0.", "loss: "}) {
    write_text(file("m"), between);
    EXPECT_TRUE(collect().empty()) << between;
    clock_.advance(kMeasureQuietTime / 2);
    EXPECT_TRUE(collect().empty()) << between;
    auto value = "0.2" + std::to_string(strlen(between));
    write_text(file("m"), value);
    EXPECT_EQ(collect(), (Values{{"m", value}}));
  }
  EXPECT_FALSE(collector_->is_waiting());
}

TEST_F(MeasureCollectorTest, WhatWasOpenedAgainIsNotTakenForClosed) {
  collector_->watch();
  write_text(file("m"), "10");
  auto again = open_file(file("m"), O_WRONLY | O_TRUNC);
  ASSERT_TRUE(write_all(again->get(), "1"));
  EXPECT_TRUE(collect().empty());
  ASSERT_TRUE(write_all(again->get(), "1"));
  again->reset();
  EXPECT_EQ(collect(), (Values{{"m", "11"}}));
}

TEST_F(MeasureCollectorTest, WhatIsNotJsonIsTakenWhenItStays) {
  collector_->watch();
  write_text(file("text"), "loss: 1");
  write_text(file("empty"), "");
  EXPECT_TRUE(collect().empty());
  EXPECT_TRUE(collector_->is_waiting());
  clock_.advance(kMeasureQuietTime);
  EXPECT_EQ(collect(), (Values{{"text", "{\"base64_bytes\": \"bG9zczogMQ==\"}"}}));
  EXPECT_FALSE(collector_->is_waiting());
  EXPECT_EQ(collect(true), (Values{{"empty", "{\"base64_bytes\": \"\"}"}}));
}

TEST_F(MeasureCollectorTest, EachCloseIsAnEventOfTheSeries) {
  collector_->watch();
  for (int i = 0; i < 3; ++i) {
    write_text(file("loss"), std::to_string(i));
    EXPECT_EQ(collect(), (Values{{"loss", std::to_string(i)}}));
  }
  EXPECT_TRUE(collect(true).empty());
}

TEST_F(MeasureCollectorTest, TheFinalLookMissesNothingAndRepeatsNothing) {
  write_text(file("before"), "1");
  collector_->watch();
  write_text(file("closed"), "2");
  collect();
  auto open = open_file(file("open"), O_WRONLY | O_CREAT);
  ASSERT_TRUE(write_all(open->get(), "not JSON"));
  Values last = collect(true);
  EXPECT_EQ(last.count("open"), 1u);
  EXPECT_EQ(last.count("before"), 1u);
  EXPECT_EQ(last.count("closed"), 0u);
  EXPECT_TRUE(collect(true).empty());
}

TEST_F(MeasureCollectorTest, ALaterProcessReportsOnlyWhatIsNew) {
  write_text(file("a"), "1");
  write_text(file("b"), "2");
  collect(true);
  write_text(file("b"), "20");
  open({{"", std::nullopt}});
  log_->next(100, 1'000);
  log_->taken();
  EXPECT_EQ(collect(true), (Values{{"b", "20"}}));
}

TEST_F(MeasureCollectorTest, IndicesAreKeptApart) {
  open({{"3/", 3}, {"4/", 4}});
  collector_->watch();
  write_text(root() + "/3/summary", "30");
  write_text(root() + "/4/summary", "40");
  EXPECT_EQ(collect(true), (Values{{"3:summary", "30"}, {"4:summary", "40"}}));
}

TEST_F(MeasureCollectorTest, NamesAreAnyBytes) {
  write_text(file("a\xff/b\nc"), "1");
  write_text(file(std::string(255, 'n')), "2");
  Values values = collect(true);
  EXPECT_EQ(values["a\\xff/b\\x0ac"], "1");
  EXPECT_EQ(values[std::string(255, 'n')], "2");
}

TEST_F(MeasureCollectorTest, NeitherLinksNorOtherThingsAreRead) {
  write_text(directory_.path() + "/secret", "\"s\"");
  ASSERT_EQ(symlink((directory_.path() + "/secret").c_str(), file("link").c_str()), 0);
  ASSERT_EQ(symlink("/", file("directory").c_str()), 0);
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  EXPECT_TRUE(collect(true).empty());
}

// Neither where they are met, nor where the job puts one in the place of a directory that is known already.
TEST_F(MeasureCollectorTest, NoLinkLeadsOutOfTheMeasures) {
  write_text(directory_.path() + "/outside/summary", "\"secret\"");
  for (bool watched : {false, true}) {
    ASSERT_TRUE(remove_tree(root()));
    open({{"3/", 3}, {"4/", 4}});
    if (watched) collector_->watch();
    write_text(root() + "/3/epoch/loss", "1");
    collect();
    ASSERT_TRUE(remove_tree(root() + "/4"));
    ASSERT_EQ(symlink((directory_.path() + "/outside").c_str(), (root() + "/4").c_str()), 0);
    ASSERT_EQ(rename((root() + "/3/epoch").c_str(), (root() + "/3/before").c_str()), 0);
    ASSERT_EQ(symlink("../../../outside", (root() + "/3/epoch").c_str()), 0);
    clock_.advance(kMeasureQuietTime);
    Values values = collect();
    write_text(directory_.path() + "/outside/later", "\"secret\"");
    values.merge(collect());
    values.merge(collect(true));
    for (const auto& [path, value] : values) EXPECT_EQ(value, "1") << path;
    EXPECT_EQ(values.count("3:before/loss"), 1u);
    EXPECT_EQ(collector_->left_out(), "");
  }
}

TEST_F(MeasureCollectorTest, WhatIsTooManyIsLeftOutAndSaid) {
  open({{"", std::nullopt}}, {.files = 10});
  for (int i = 0; i < 12; ++i) write_text(file(std::to_string(i)), "1");
  write_text(file("summary"), "2");
  Values values = collect(true);
  EXPECT_LE(values.size(), 11u);
  EXPECT_EQ(values["summary"], "2");
  EXPECT_EQ(collector_->left_out(), "not all measures were kept: they are more than 10");
}

TEST_F(MeasureCollectorTest, DirectoriesAreCountedAsTheyAre) {
  open({{"", std::nullopt}}, {.directories = 5});
  collector_->watch();
  // Not what was there once.
  for (int i = 0; i < 20; ++i) {
    write_text(file(std::to_string(i) + "/loss"), "1");
    collect();
    ASSERT_TRUE(remove_tree(file(std::to_string(i))));
    collect();
  }
  EXPECT_EQ(collector_->left_out(), "");
  for (int i = 0; i < 7; ++i) write_text(file(std::to_string(i) + "/last"), "1");
  EXPECT_EQ(collect(true).size(), 5u);
  EXPECT_EQ(collector_->left_out(), "not all measures were kept: they lie in more than 5 directories");
}

TEST_F(MeasureCollectorTest, DepthAndBytesHaveLimits) {
  open({{"", std::nullopt}}, {.depth = 3, .bytes = 100});
  write_text(file("a/b/c/kept"), "1");
  write_text(file("a/b/c/d/deep"), "1");
  EXPECT_EQ(collect(true), (Values{{"a/b/c/kept", "1"}}));
  write_text(file("large"), std::string(100, '1'));
  write_text(file("summary"), std::string(100, '2'));
  EXPECT_EQ(collect(true), (Values{{"summary", std::string(100, '2')}}));
  EXPECT_EQ(collector_->left_out(),
            "not all measures were kept: some lie more than 3 directories deep, and their values take more than 100 "
            "bytes");
}

TEST_F(MeasureCollectorTest, AnEndDoesNotWaitForMeasures) {
  write_text(file("m"), "1");
  std::stop_source stop;
  stop.request_stop();
  auto collected = collector_->collect_rest(stop.get_token());
  ASSERT_FALSE(collected);
  EXPECT_EQ(collected.error().code, ErrorCode::cancelled);
  EXPECT_EQ(collect(true), (Values{{"m", "1"}}));
}

// Each directory is looked into once, though it was made in one that was being looked at.
TEST_F(MeasureCollectorTest, AChainOfDirectoriesIsFollowedDownwards) {
  open({{"", std::nullopt}}, {.depth = 1'000});
  collector_->watch();
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += "d/";
  write_text(file(deep + "loss"), "1");
  Values values;
  for (int i = 0; i < 3; ++i) {
    values.merge(collect());
    clock_.advance(kMeasureQuietTime);
  }
  EXPECT_EQ(values, (Values{{deep + "loss", "1"}}));
}

TEST_F(MeasureCollectorTest, AFileTooLargeIsSaidToBe) {
  auto large = open_file(file("large"), O_WRONLY | O_CREAT);
  ASSERT_EQ(ftruncate(large->get(), (64 << 20) + 1), 0);
  EXPECT_EQ(collect(true), (Values{{"large", "{\"omitted_bytes\": 67108865}"}}));
}

TEST_F(MeasureCollectorTest, VanishedFilesAndDirectoriesAreNoError) {
  collector_->watch();
  write_text(file("gone"), "1");
  write_text(file("d/gone"), "1");
  ASSERT_TRUE(remove_tree(root()));
  EXPECT_TRUE(collect().empty());
  EXPECT_TRUE(collect(true).empty());
}

TEST_F(MeasureCollectorTest, TakesManySmallFiles) {
  collector_->watch();
  constexpr int kFiles = 20'000;  // more than a queue of inotify events holds
  ASSERT_TRUE(make_directories(file("step")));
  collect();
  for (int i = 0; i < kFiles; ++i) {
    UniqueFd small(::open(file("step/" + std::to_string(i)).c_str(), O_WRONLY | O_CREAT, 0600));
    ASSERT_TRUE(write_all(small.get(), std::to_string(i)));
  }
  Values values = collect();
  values.merge(collect(true));
  EXPECT_EQ(values.size(), static_cast<size_t>(kFiles));
}

TEST_F(MeasureCollectorTest, WakesForAFileThatItIsAskedToWatch) {
  collector_->watch();
  write_text(directory_.path() + "/log", "a");
  collector_->watch_file(directory_.path() + "/log");
  collect();
  write_text(directory_.path() + "/log", "b");
  pollfd event{collector_->watch_fd(), POLLIN, 0};
  EXPECT_EQ(poll(&event, 1, 5'000), 1);
  EXPECT_TRUE(collect().empty());
}

}  // namespace
}  // namespace plz
