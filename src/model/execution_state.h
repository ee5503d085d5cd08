// The state machine of an execution:
//
//   queued → starting → running → finishing → finished(outcome)
//      ↑________|__________|   instance lost, preempted: a new attempt
//
// A finished execution never changes. Every state may go to finished (stopped while queued, could
// not start, lost). This is the one place that says what may follow what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plz {

enum class ExecutionState : int {  // persisted: do not renumber
  queued = 0,
  starting = 1,
  running = 2,
  finishing = 3,  // the command has ended; output and measures are being stored
  finished = 4,
};

enum class OutcomeKind : int {  // persisted: do not renumber
  succeeded = 0,                // exit status 0
  exited = 1,                   // an exit status other than 0
  signalled = 2,                // ended by a signal
  could_not_start = 3,          // the command never ran: `reason` says why, in the engine's words
  output_not_stored = 4,        // it ran (exit_status says how), but its output could not be kept
  stopped = 5,                  // ended because a person asked
  lost = 6,                     // its instance is gone, or nobody knows how it ended
};

// How an execution ended. Which fields are set is said at each kind.
struct Outcome {
  OutcomeKind kind = OutcomeKind::lost;
  std::optional<int> exit_status;  // as a shell would show it: 0-255, 128+n for signal n, 126, 127
  std::optional<int> signal;       // when signalled
  bool out_of_memory = false;      // a cgroup said so
  // A sentence, empty when there is nothing to add; then, a line each, what is to be said beside and is no cause.
  std::string reason;
  bool operator==(const Outcome&) const = default;

  bool succeeded() const { return kind == OutcomeKind::succeeded; }
};

// In the reason of an outcome: what it computed is not what its code and input compute.
inline constexpr std::string_view kChangedFilesNote = "the job did not run on the files that it was given";
inline bool ran_on_changed_files(const Outcome& outcome) {
  return outcome.reason.find(kChangedFilesNote) != std::string::npos;
}

bool can_transition(ExecutionState from, ExecutionState to);
std::string_view to_string(ExecutionState state);
std::string_view to_string(OutcomeKind kind);
std::optional<ExecutionState> parse_execution_state(std::string_view text);
std::optional<OutcomeKind> parse_outcome_kind(std::string_view text);

}  // namespace plz
