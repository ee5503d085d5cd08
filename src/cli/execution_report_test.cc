#include "cli/execution_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsSupersetOf;

Outcome outcome(OutcomeKind kind, std::optional<int> exit_status = {}, std::optional<int> signal = {},
                std::string reason = {}) {
  return Outcome{kind, exit_status, signal, false, std::move(reason)};
}

struct Report {
  Outcome outcome;
  int status;
  std::string sentence;
};

TEST(ExecutionReport, TellsEachOutcome) {
  const Report cases[] = {
      {outcome(OutcomeKind::succeeded, 0), 0, "Execution succeeded."},
      {outcome(OutcomeKind::exited, 42), 42, "Execution failed with an exit status of 42."},
      {outcome(OutcomeKind::signalled, 137, 9), 137, "Execution was killed by signal 9 (SIGKILL)."},
      {outcome(OutcomeKind::signalled, 137, 9, "probably out of memory"), 137,
       "Execution was killed by signal 9 (SIGKILL): probably out of memory"},
      {outcome(OutcomeKind::signalled, {}, 15), 143, "Execution was killed by signal 15 (SIGTERM)."},
      {outcome(OutcomeKind::could_not_start, 127, {}, "nope: command not found"), 127,
       "Execution could not start: nope: command not found"},
      {outcome(OutcomeKind::could_not_start), 125, "Execution could not start."},
      {outcome(OutcomeKind::output_not_stored, 0, {}, "disk full"), 125,
       "Execution ended, but its output could not be stored: disk full"},
      {outcome(OutcomeKind::stopped, 143), 143, "Execution was stopped."},
      {outcome(OutcomeKind::lost, {}, {}, "its instance is gone"), 125, "Execution was lost: its instance is gone"},
  };
  for (const Report& each : cases) {
    EXPECT_EQ(exit_status_of(each.outcome), each.status) << each.sentence;
    EXPECT_EQ(outcome_sentence(each.outcome), each.sentence);
  }
}

TEST(ExecutionReport, WhatIsToBeSaidBesideIsNoCauseOfAFailure) {
  const Outcome exited = outcome(OutcomeKind::exited, 3, {}, "pipe is a fifo and is left out.");
  EXPECT_EQ(outcome_sentence(exited), "Execution failed with an exit status of 3.");
  EXPECT_THAT(outcome_notes(exited), ElementsAre("pipe is a fifo and is left out."));
  EXPECT_THAT(outcome_notes(outcome(OutcomeKind::succeeded, 0, {}, "a note")), ElementsAre("a note"));
  EXPECT_THAT(outcome_notes(outcome(OutcomeKind::succeeded, 0, {}, "\na\nb")), ElementsAre("a", "b"));
  const Outcome stopped = outcome(OutcomeKind::stopped, 143, {}, "by ada\nGone: x");
  EXPECT_EQ(outcome_sentence(stopped), "Execution was stopped: by ada");
  EXPECT_THAT(outcome_notes(stopped), ElementsAre("Gone: x"));
  EXPECT_EQ(outcome_sentence(outcome(OutcomeKind::stopped, 143, {}, "\nGone: x")), "Execution was stopped.");
  EXPECT_THAT(outcome_notes(outcome(OutcomeKind::lost, {}, {}, "its instance is gone")), testing::IsEmpty());
  Outcome out_of_memory = outcome(OutcomeKind::exited, 137, {}, "out of memory");
  out_of_memory.out_of_memory = true;
  EXPECT_THAT(outcome_notes(out_of_memory), testing::IsEmpty());
  EXPECT_EQ(outcome_sentence(out_of_memory), "Execution failed with an exit status of 137: out of memory");
}

TEST(ExecutionReport, NamesOutOfMemory) {
  Outcome killed = outcome(OutcomeKind::signalled, 137, 9);
  killed.out_of_memory = true;
  EXPECT_EQ(outcome_sentence(killed), "Execution was killed by signal 9 (SIGKILL): out of memory");
}

TEST(ExecutionReport, AQueuedExecutionRunsAndSaysWhatItWaitsFor) {
  Execution execution;
  execution.waiting_for = "a free gpu";
  EXPECT_THAT(status_lines(execution), ElementsAre("Running: True", "Success: None", "Exit Status: None",
                                                   "Phase: queued", "Waiting For: a free gpu"));
}

TEST(ExecutionReport, AFinishedExecutionTellsHow) {
  Execution execution;
  execution.state = ExecutionState::finished;
  execution.attempts = 2;
  execution.outcome = outcome(OutcomeKind::exited, 3);
  EXPECT_THAT(status_lines(execution), IsSupersetOf({"Running: False", "Success: False", "Exit Status: 3", "Attempt: 2",
                                                     "Reason: Execution failed with an exit status of 3."}));
  execution.outcome = outcome(OutcomeKind::succeeded, 0, {}, "sock is a socket and is left out.");
  EXPECT_THAT(status_lines(execution),
              IsSupersetOf({"Success: True", "Exit Status: 0", "Note: sock is a socket and is left out."}));
}

TEST(ExecutionReport, AnImageIsToldByItsDigestIfItHasOne) {
  Execution execution;
  execution.image = ImageIdentity{"sha256:1", ""};
  EXPECT_THAT(status_lines(execution), IsSupersetOf({"Image: sha256:1"}));
  execution.image->digest = "debian@sha256:2";
  EXPECT_THAT(status_lines(execution), IsSupersetOf({"Image: debian@sha256:2"}));
}

}  // namespace
}  // namespace plz
