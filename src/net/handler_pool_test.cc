#include "net/handler_pool.h"

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "net/server_fixture.h"
#include "os/process.h"

namespace plz::testing_net {
namespace {

using namespace std::chrono_literals;

// A handler that waits until something is written for it.
class Waiter {
 public:
  explicit Waiter(HandlerPool& pool) : pipe_(*make_pipe()) {
    EXPECT_TRUE(pool.submit([this, &pool] {
      PeerWait wait(pool);
      outcome_.set_value(wait.wait(pipe_.out.get(), POLLIN, 300s));
    }));
  }
  void let_go() { EXPECT_EQ(write(pipe_.in.get(), "x", 1), 1); }
  Result<bool> outcome() { return future_.get(); }
  bool is_done() { return future_.wait_for(0s) == std::future_status::ready; }

 private:
  PipeEnds pipe_;
  std::promise<Result<bool>> outcome_;
  std::future<Result<bool>> future_ = outcome_.get_future();
};

void runs_a_job(HandlerPool& pool) {
  std::promise<void> ran;
  ASSERT_TRUE(pool.submit([&] { ran.set_value(); }));
  ASSERT_EQ(ran.get_future().wait_for(90s), std::future_status::ready);
}

TEST(HandlerPool, RunsAsManyAtOnceAsItMayAndTheRestAfterwards) {
  std::atomic<int> running = 0, most = 0, done = 0;
  {
    HandlerPool pool(3, 0);
    for (int i = 0; i < 500; ++i)
      ASSERT_TRUE(pool.submit([&] {
        int now = ++running;
        for (int before = most; before < now && !most.compare_exchange_weak(before, now);) continue;
        std::this_thread::yield();
        --running;
        ++done;
      }));
    EXPECT_LE(pool.threads(), 3u);
  }
  EXPECT_EQ(done, 500);
  EXPECT_LE(most, 3);
}

TEST(HandlerPool, RunsOthersWhileHandlersWait) {
  HandlerPool pool(2, 100);
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (int i = 0; i < 50; ++i) waiters.push_back(std::make_unique<Waiter>(pool));
  ASSERT_TRUE(eventually([&] { return pool.waiting() == 50; }));
  runs_a_job(pool);
  for (auto& waiter : waiters) EXPECT_FALSE(waiter->is_done());
  for (auto& waiter : waiters) waiter->let_go();
  for (auto& waiter : waiters) {
    auto outcome = waiter->outcome();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(*outcome);
  }
  // It keeps no more threads than can run.
  EXPECT_TRUE(eventually([&] { return pool.threads() <= 2; }));
  runs_a_job(pool);
}

TEST(HandlerPool, LetsNoMoreRunAfterTheirWaitsThanMay) {
  std::atomic<int> running = 0, most = 0;
  auto pipe = make_pipe();
  HandlerPool pool(2, 100);
  std::atomic<int> done = 0;
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(pool.submit([&] {
      PeerWait wait(pool);
      EXPECT_TRUE(*wait.wait(pipe->out.get(), POLLIN, 300s));
      int now = ++running;
      for (int before = most; before < now && !most.compare_exchange_weak(before, now);) continue;
      std::this_thread::yield();
      --running;
      ++done;
    }));
  ASSERT_TRUE(eventually([&] { return pool.waiting() == 40; }));
  ASSERT_EQ(write(pipe->in.get(), "x", 1), 1);
  EXPECT_TRUE(eventually([&] { return done == 40; }));
  EXPECT_LE(most, 2);
}

TEST(HandlerPool, EndsTheLongestWaitWhereTooManyWait) {
  HandlerPool pool(1, 2);
  Waiter first(pool);
  ASSERT_TRUE(eventually([&] { return pool.waiting() == 1; }));
  Waiter second(pool);
  ASSERT_TRUE(eventually([&] { return pool.waiting() == 2; }));
  Waiter third(pool);
  auto outcome = first.outcome();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::unavailable);
  ASSERT_TRUE(eventually([&] { return pool.waiting() == 2; }));
  EXPECT_FALSE(second.is_done() || third.is_done());
  EXPECT_FALSE(pool.end_longest_wait(300s));
  EXPECT_TRUE(pool.end_longest_wait(0s));
  EXPECT_FALSE(second.outcome());
  third.let_go();
  EXPECT_TRUE(third.outcome());
}

TEST(HandlerPool, TellsThatTheTimeIsOver) {
  HandlerPool pool(1, 1);
  auto pipe = make_pipe();
  std::promise<bool> ready;
  ASSERT_TRUE(pool.submit([&] {
    PeerWait wait(pool);
    ready.set_value(*wait.wait(pipe->out.get(), POLLIN, 1ms));
  }));
  EXPECT_FALSE(ready.get_future().get());
}

}  // namespace
}  // namespace plz::testing_net
