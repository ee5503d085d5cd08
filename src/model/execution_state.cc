#include "model/execution_state.h"

#include <array>
#include <utility>

namespace plz {
namespace {

using enum ExecutionState;

constexpr std::array<std::pair<ExecutionState, std::string_view>, 5> kStates{{
    {queued, "queued"},
    {starting, "starting"},
    {running, "running"},
    {finishing, "finishing"},
    {finished, "finished"},
}};

constexpr std::array<std::pair<OutcomeKind, std::string_view>, 7> kOutcomes{{
    {OutcomeKind::succeeded, "succeeded"},
    {OutcomeKind::exited, "exited"},
    {OutcomeKind::signalled, "signalled"},
    {OutcomeKind::could_not_start, "could_not_start"},
    {OutcomeKind::output_not_stored, "output_not_stored"},
    {OutcomeKind::stopped, "stopped"},
    {OutcomeKind::lost, "lost"},
}};

template <typename Table, typename T>
std::string_view name_of(const Table& table, T value) {
  for (const auto& [key, name] : table)
    if (key == value) return name;
  return "unknown";
}

template <typename T, typename Table>
std::optional<T> value_of(const Table& table, std::string_view text) {
  for (const auto& [key, name] : table)
    if (name == text) return key;
  return std::nullopt;
}

}  // namespace

bool can_transition(ExecutionState from, ExecutionState to) {
  switch (from) {
    case queued: return to == starting || to == finished;
    case starting: return to == running || to == finishing || to == finished || to == queued;
    case running: return to == finishing || to == finished || to == queued;
    case finishing: return to == finished || to == queued;
    case finished: return false;
  }
  return false;
}

std::string_view to_string(ExecutionState state) { return name_of(kStates, state); }
std::string_view to_string(OutcomeKind kind) { return name_of(kOutcomes, kind); }

std::optional<ExecutionState> parse_execution_state(std::string_view text) {
  return value_of<ExecutionState>(kStates, text);
}
std::optional<OutcomeKind> parse_outcome_kind(std::string_view text) { return value_of<OutcomeKind>(kOutcomes, text); }

}  // namespace plz
