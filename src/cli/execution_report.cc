#include "cli/execution_report.h"

#include <cstring>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

std::string with_reason(std::string sentence, const std::string& reason) {
  return reason.empty() ? sentence + "." : fmt::format("{}: {}", sentence, reason);
}

std::string killed_sentence(const Outcome& outcome) {
  const int signal = outcome.signal.value_or(outcome.exit_status.value_or(128) - 128);
  std::string reason = outcome.reason;
  if (reason.empty() && outcome.out_of_memory) reason = "out of memory";
  return with_reason(fmt::format("Execution was killed by signal {} ({})", signal, signal_name(signal)), reason);
}

const char* truth(bool value) { return value ? "True" : "False"; }

std::string success_of(const Execution& execution) {
  return execution.outcome ? truth(execution.outcome->succeeded()) : "None";
}

std::string exit_status_text(const Execution& execution) {
  if (!execution.outcome || !execution.outcome->exit_status) return "None";
  return std::to_string(*execution.outcome->exit_status);
}

}  // namespace

int exit_status_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::succeeded: return 0;
    case OutcomeKind::signalled: return outcome.exit_status.value_or(128 + outcome.signal.value_or(0));
    case OutcomeKind::exited:
    case OutcomeKind::could_not_start:
    case OutcomeKind::output_not_stored:
    case OutcomeKind::stopped:
    case OutcomeKind::lost: break;
  }
  // Without success there is no 0, even where the command itself ended with it.
  const int status = outcome.exit_status.value_or(0);
  return status == 0 ? kOwnFailure : status;
}

std::string outcome_sentence(const Outcome& given) {
  Outcome outcome = given;
  outcome.reason = outcome.reason.substr(0, outcome.reason.find('\n'));
  switch (outcome.kind) {
    case OutcomeKind::succeeded: return "Execution succeeded.";
    case OutcomeKind::exited: {
      std::string sentence = fmt::format("Execution failed with an exit status of {}", outcome.exit_status.value_or(0));
      return with_reason(std::move(sentence), outcome.out_of_memory ? outcome.reason : "");
    }
    case OutcomeKind::signalled: return killed_sentence(outcome);
    case OutcomeKind::could_not_start: return with_reason("Execution could not start", outcome.reason);
    case OutcomeKind::output_not_stored:
      return with_reason("Execution ended, but its output could not be stored", outcome.reason);
    case OutcomeKind::stopped: return with_reason("Execution was stopped", outcome.reason);
    case OutcomeKind::lost: return with_reason("Execution was lost", outcome.reason);
  }
  return "Execution ended.";
}

std::vector<std::string> outcome_notes(const Outcome& outcome) {
  std::vector<std::string> notes;
  const bool failed_for_a_reason = outcome.kind == OutcomeKind::exited && outcome.out_of_memory;
  const bool by_itself = outcome.kind == OutcomeKind::succeeded || outcome.kind == OutcomeKind::exited;
  const auto lines = split(outcome.reason, '\n');
  for (size_t i = by_itself && !failed_for_a_reason ? 0 : 1; i < lines.size(); ++i)
    if (!lines[i].empty()) notes.emplace_back(lines[i]);
  return notes;
}

std::vector<std::string> status_lines(const Execution& execution) {
  const bool finished = execution.state == ExecutionState::finished;
  std::vector<std::string> lines = {fmt::format("Running: {}", truth(!finished)), "Success: " + success_of(execution),
                                    "Exit Status: " + exit_status_text(execution),
                                    fmt::format("Phase: {}", to_string(execution.state))};
  if (execution.attempts > 0) lines.push_back(fmt::format("Attempt: {}", execution.attempts));
  if (execution.image)
    lines.push_back("Image: " + (execution.image->digest.empty() ? execution.image->id : execution.image->digest));
  if (execution.outcome) {
    lines.push_back(fmt::format("Outcome: {}", to_string(execution.outcome->kind)));
    if (!execution.outcome->succeeded()) lines.push_back("Reason: " + outcome_sentence(*execution.outcome));
    for (const auto& note : outcome_notes(*execution.outcome)) lines.push_back("Note: " + note);
  } else if (!execution.waiting_for.empty()) {
    lines.push_back("Waiting For: " + execution.waiting_for);
  }
  if (!finished && execution.stop_requested) lines.push_back("Stop Requested: True");
  return lines;
}

std::string signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string part_directory(int64_t index) { return fmt::format("parallel-{}", index); }

std::string part_prefix(int64_t index) { return part_directory(index) + "#"; }

}  // namespace plz
