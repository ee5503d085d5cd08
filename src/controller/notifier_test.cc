#include "controller/notifier.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(Notifier, TellsThoseOfTheKeyWhileTheyAreSubscribed) {
  Notifier notifier;
  SystemClock clock;
  const Uuid key = Uuid::make_v7(clock), other = Uuid::make_v7(clock);
  int count = 0;
  auto token = notifier.subscribe(key, [&] { ++count; });
  notifier.notify(other);
  EXPECT_EQ(count, 0);
  notifier.notify(key);
  EXPECT_EQ(count, 1);
  token.reset();
  notifier.notify(key);
  EXPECT_EQ(count, 1);
}

TEST(Notifier, ASubscriberMayLeaveWhileItIsTold) {
  Notifier notifier;
  std::shared_ptr<void> token;
  int count = 0;
  token = notifier.subscribe(Uuid(), [&] {
    ++count;
    token.reset();
  });
  notifier.notify(Uuid());
  notifier.notify(Uuid());
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace plz
