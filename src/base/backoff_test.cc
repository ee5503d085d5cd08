#include "base/backoff.h"

#include <gtest/gtest.h>

#include <thread>

namespace plz {
namespace {

using std::chrono::milliseconds;

void expect_about(milliseconds delay, int64_t most) {
  EXPECT_LE(delay.count(), most);
  EXPECT_GE(delay.count(), most * 3 / 4);
}

TEST(Backoff, DoublesUpToItsLimit) {
  FakeClock clock;
  Backoff backoff(clock, {milliseconds(100), milliseconds(1'000)});
  for (int64_t most : {100, 200, 400, 800, 1'000, 1'000}) expect_about(backoff.next(), most);
  for (int i = 0; i < 100; ++i) expect_about(backoff.next(), 1'000);
}

TEST(Backoff, BeginsAnewAfterAQuietTime) {
  FakeClock clock;
  Backoff backoff(clock, {milliseconds(100), milliseconds(1'000)});
  for (int i = 0; i < 5; ++i) backoff.next();
  clock.advance(std::chrono::milliseconds(2'000));
  expect_about(backoff.next(), 1'000);
  clock.advance(std::chrono::milliseconds(2'001));
  expect_about(backoff.next(), 100);
}

TEST(Backoff, ResetBeginsAnew) {
  FakeClock clock;
  Backoff backoff(clock, {milliseconds(100), milliseconds(1'000)});
  backoff.next();
  backoff.next();
  backoff.reset();
  expect_about(backoff.next(), 100);
}

TEST(Backoff, AWaitEndsWhenAskedTo) {
  std::stop_source stop;
  EXPECT_TRUE(wait_unless_stopped(stop.get_token(), milliseconds(1)));
  std::jthread asker([&] { stop.request_stop(); });
  EXPECT_FALSE(wait_unless_stopped(stop.get_token(), std::chrono::minutes(5)));
}

}  // namespace
}  // namespace plz
