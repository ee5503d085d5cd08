#include "worker/steps/log_shipper.h"

#include <gtest/gtest.h>

#include "worker/fake_controller.h"

namespace plz {
namespace {

using namespace testing_worker;
using std::chrono::milliseconds;

const AttemptId kAttempt = *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-000000000004");

class LogShipperTest : public testing::Test {
 protected:
  LogShipperTest() : connections_(controller_, clock_, {milliseconds(1), milliseconds(2)}) {}
  LogShipper shipper(bool recovered = false) {
    return LogShipper(kAttempt, AttemptLog::job, path(), recovered, connections_, clock_);
  }
  std::string path() const { return directory_.path() + "/log"; }

  TemporaryDirectory directory_{in_memory()};
  FakeClock clock_;
  FakeController controller_;
  Connections connections_;
  StoragePatience patience_{kAttempt, connections_, clock_, std::chrono::minutes(10)};
};

TEST_F(LogShipperTest, ALogThatIsNotThereIsEmpty) {
  auto log = shipper();
  EXPECT_EQ(log.ship_piece(), false);
  EXPECT_TRUE(log.ship_rest({}, patience_));
  EXPECT_EQ(controller_.count("append_log"), 0u);
}

TEST_F(LogShipperTest, SendsWhatIsNew) {
  auto log = shipper();
  write_text(path(), "one");
  EXPECT_EQ(log.ship_piece(), true);
  EXPECT_EQ(log.ship_piece(), false);
  write_text(path(), "one two");
  EXPECT_EQ(log.ship_piece(), true);
  EXPECT_EQ(controller_.log(kAttempt), "one two");
  EXPECT_EQ(log.shipped(), 7u);
}

TEST_F(LogShipperTest, CutsLongLogsInPieces) {
  std::string text;
  for (int i = 0; text.size() < 2 * kLogPieceBytes + 1'000; ++i) text += std::to_string(i) + '\n';
  write_text(path(), text);
  auto log = shipper();
  ASSERT_TRUE(log.ship_rest({}, patience_));
  EXPECT_EQ(controller_.count("append_log"), 3u);
  EXPECT_TRUE(controller_.log(kAttempt) == text);
}

TEST_F(LogShipperTest, ALaterProcessGoesOnWhereTheControllerIs) {
  write_text(path(), "first second");
  auto first = shipper();
  ASSERT_TRUE(first.ship_rest({}, patience_));
  controller_.cut_log(kAttempt, 6);
  auto second = shipper(true);
  ASSERT_TRUE(second.ship_rest({}, patience_));
  EXPECT_EQ(controller_.log(kAttempt), "first second");
}

TEST_F(LogShipperTest, FollowsTheControllersWordAboutThePlace) {
  write_text(path(), "first");
  auto log = shipper();
  ASSERT_TRUE(log.ship_rest({}, patience_));
  controller_.cut_log(kAttempt, 2);
  write_text(path(), "first second");
  ASSERT_TRUE(log.ship_rest({}, patience_));
  EXPECT_EQ(controller_.log(kAttempt), "first second");
}

TEST_F(LogShipperTest, KeepsTryingWhileTheControllerIsAway) {
  write_text(path(), "text");
  controller_.fail_next("append_log", ErrorCode::unavailable, 5);
  auto log = shipper();
  EXPECT_FALSE(log.ship_piece());
  EXPECT_TRUE(log.ship_rest({}, patience_));
  EXPECT_EQ(controller_.log(kAttempt), "text");
}

TEST_F(LogShipperTest, GivesUpWhenAskedTo) {
  write_text(path(), "text");
  controller_.set_away(true);
  std::stop_source stop;
  stop.request_stop();
  auto log = shipper();
  auto result = log.ship_rest(stop.get_token(), patience_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
}

TEST_F(LogShipperTest, AControllerThatIsThereAndTakesNothingIsWaitedForOnlySoLong) {
  auto log = shipper();
  write_text(path(), "one two");
  StoragePatience none(kAttempt, connections_, clock_, std::chrono::milliseconds(0));
  controller_.fail_next("append_log", ErrorCode::unavailable, 1);
  const auto given_up = log.ship_rest({}, none);
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, ErrorCode::invalid);
  EXPECT_EQ(log.unshipped(), 7u);
  // While it is away it is waited for, whatever the patience.
  controller_.fail_next("append_log", ErrorCode::unavailable, 1);
  controller_.fail_next("log_size", ErrorCode::unavailable, 1);
  EXPECT_TRUE(log.ship_rest({}, none));
  EXPECT_EQ(log.unshipped(), 0u);
  EXPECT_EQ(controller_.log(kAttempt), "one two");
}

}  // namespace
}  // namespace plz
