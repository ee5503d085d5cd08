#include "controller/services/execution_queue.h"

#include <gmock/gmock.h>

namespace plz {
namespace {

using testing::ElementsAre;
using Next = ExecutionQueue::Next;

class ExecutionQueueTest : public testing::Test {
 protected:
  Execution one(double cpus = 1) {
    Execution execution;
    execution.id = ExecutionId::make(clock_);
    execution.spec.resources.cpus = cpus;
    return execution;
  }

  std::vector<ExecutionId> seen(Next next = Next::further) const {
    std::vector<ExecutionId> ids;
    queue_.each([&](ExecutionId id, const Resources&) {
      ids.push_back(id);
      return next;
    });
    return ids;
  }

  FakeClock clock_;
  ExecutionQueue queue_;
};

TEST_F(ExecutionQueueTest, TheOldestComesFirst) {
  const Execution a = one(1), b = one(2), c = one(3);
  for (const Execution& each : {c, a, b, a}) queue_.add(each);
  EXPECT_EQ(queue_.size(), 3u);
  EXPECT_THAT(seen(), ElementsAre(a.id, b.id, c.id));
  EXPECT_EQ(queue_.older_than(a.id), 0u);
  EXPECT_EQ(queue_.older_than(c.id), 2u);
  std::vector<double> cpus;
  queue_.each([&](ExecutionId, const Resources& wanted) {
    cpus.push_back(wanted.cpus);
    return cpus.size() == 2 ? Next::stop : Next::further;
  });
  EXPECT_THAT(cpus, ElementsAre(1, 2));
  queue_.remove(b.id);
  queue_.remove(b.id);
  EXPECT_FALSE(queue_.contains(b.id));
  EXPECT_THAT(seen(), ElementsAre(a.id, c.id));
}

TEST_F(ExecutionQueueTest, PartsArePassedOverTogether) {
  const Execution before = one(), whole = one();
  std::vector<ExecutionId> parts;
  for (int i = 0; i < 1000; ++i) parts.push_back(ExecutionId::make(clock_));
  const Execution after = one();
  queue_.add(after);
  queue_.add_parts(whole.id, whole.spec.resources, parts);
  queue_.add(before);
  EXPECT_EQ(queue_.size(), 1002u);
  EXPECT_THAT(seen(Next::pass_those_like_it), ElementsAre(before.id, parts[0], after.id));
  queue_.remove(parts[0]);
  queue_.remove(parts[999]);
  EXPECT_THAT(seen(Next::pass_those_like_it), ElementsAre(before.id, parts[1], after.id));
  EXPECT_EQ(queue_.older_than(after.id), 999u);
  // One comes back.
  Execution part = whole;
  part.id = parts[0];
  part.spec.parent_id = whole.id;
  queue_.add(part);
  EXPECT_THAT(seen(Next::pass_those_like_it), ElementsAre(before.id, parts[0], after.id));
  queue_.remove_all(parts);
  EXPECT_THAT(seen(), ElementsAre(before.id, after.id));
}

// Two were submitted in the same moment: neither is passed over with the other's.
TEST_F(ExecutionQueueTest, NothingElseIsPassedOver) {
  const Execution whole = one(), other = one();
  std::vector<ExecutionId> parts, others;
  std::vector<Execution> between;
  for (int i = 0; i < 3; ++i) {
    parts.push_back(ExecutionId::make(clock_));
    between.push_back(one());
    others.push_back(ExecutionId::make(clock_));
  }
  queue_.add_parts(whole.id, {}, parts);
  queue_.add_parts(other.id, {}, others);
  for (const Execution& each : between) queue_.add(each);
  EXPECT_THAT(seen(Next::pass_those_like_it), ElementsAre(parts[0], between[0].id, others[0], parts[1], between[1].id,
                                                          others[1], parts[2], between[2].id, others[2]));
}

}  // namespace
}  // namespace plz
