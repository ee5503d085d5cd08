#include "environment/single_flight.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace plz {
namespace {

class SingleFlightTest : public testing::Test {
 protected:
  // Twenty that come while the first is at work, which ends once all have come.
  std::vector<Result<int>> twenty(const std::function<Result<int>(int)>& work) {
    std::vector<Result<int>> results(20, Result<int>(0));
    std::latch others(19);
    std::vector<std::jthread> threads;
    for (auto& result : results)
      threads.emplace_back([&] {
        result = flights_.run(
            "key", {}, [&] { others.count_down(); },
            [&] {
              int number = ++works_;
              if (number == 1) others.wait();
              return work(number);
            });
      });
    threads.clear();
    return results;
  }

  SingleFlight<int> flights_;
  std::atomic<int> works_ = 0;
};

TEST_F(SingleFlightTest, IsDoneOnce) {
  for (const auto& result : twenty([](int) { return 7; })) EXPECT_EQ(result.value_or(0), 7);
  EXPECT_EQ(works_, 1);
}

TEST_F(SingleFlightTest, AFailureIsShared) {
  for (const auto& result : twenty([](int) { return fail(ErrorCode::invalid, "no"); })) EXPECT_FALSE(result);
  EXPECT_EQ(works_, 1);
}

TEST_F(SingleFlightTest, WhatWasCancelledIsDoneByTheNext) {
  int cancelled = 0;
  auto results = twenty([](int number) -> Result<int> {
    if (number == 1) return fail(ErrorCode::cancelled, "stopped");
    return 7;
  });
  for (const auto& result : results) cancelled += !result;
  EXPECT_EQ(cancelled, 1);
  EXPECT_GE(works_, 2);
}

TEST_F(SingleFlightTest, WhoWaitsCanGiveUp) {
  std::latch waiting(1);
  std::stop_source stop;
  auto first = flights_.run(
      "key", {}, [] {},
      [&]() -> Result<int> {
        std::jthread second([&] {
          auto result = flights_.run(
              "key", stop.get_token(), [&] { waiting.count_down(); }, [] { return 1; });
          EXPECT_FALSE(result);
        });
        waiting.wait();
        stop.request_stop();
        second.join();
        return 2;
      });
  EXPECT_EQ(first.value_or(0), 2);
}

}  // namespace
}  // namespace plz
