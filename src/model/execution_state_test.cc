#include "model/execution_state.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

using enum ExecutionState;

TEST(ExecutionState, NothingFollowsFinished) {
  for (auto to : {queued, starting, running, finishing, finished}) EXPECT_FALSE(can_transition(finished, to));
}

TEST(ExecutionState, GoesBackOnlyToTheQueue) {
  EXPECT_TRUE(can_transition(running, queued));
  EXPECT_FALSE(can_transition(running, starting));
  EXPECT_FALSE(can_transition(finishing, running));
  EXPECT_FALSE(can_transition(queued, running));
}

TEST(ExecutionState, EveryStateCanFinish) {
  for (auto from : {queued, starting, running, finishing}) EXPECT_TRUE(can_transition(from, finished));
}

TEST(ExecutionState, NamesParseBack) {
  for (auto state : {queued, starting, running, finishing, finished})
    EXPECT_EQ(parse_execution_state(to_string(state)), state);
  EXPECT_EQ(parse_outcome_kind("signalled"), OutcomeKind::signalled);
  EXPECT_FALSE(parse_outcome_kind("fine"));
}

}  // namespace
}  // namespace plz
