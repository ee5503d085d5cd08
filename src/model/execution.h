// An execution: one run of one command. Values only; how they are stored is db/'s, how they travel
// is wire/'s.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/execution_state.h"
#include "model/ids.h"
#include "model/json_text.h"
#include "model/resources.h"
#include "model/snapshot.h"

namespace plz {

using EnvironmentVariables = std::vector<std::pair<std::string, std::string>>;

// Half open: [from, to).
struct IndexRange {
  int64_t from = 0;
  int64_t to = 0;
  int64_t size() const { return to - from; }
  bool operator==(const IndexRange&) const = default;
};

enum class MarketType { on_demand, spot };

// What kind of instance to get, and for how long.
struct MarketSpec {
  std::string instance_type = "t2.micro";
  MarketType market_type = MarketType::on_demand;
  std::optional<double> max_bid_price_in_dollars_per_hour;
  std::optional<int64_t> instance_max_uptime_in_minutes = 60;  // none: no limit
  int64_t instance_max_idle_time_in_minutes = 0;
  bool operator==(const MarketSpec&) const = default;
};

// What was asked for. Never changes after submission.
struct ExecutionSpec {
  std::string user;
  std::string project;
  std::vector<std::string> command;  // empty: the image's own
  JsonText parameters{"{}"};
  Snapshot snapshot;
  std::optional<Input> input;
  MarketSpec market;
  Resources resources;
  EnvironmentVariables environment;  // configured: recorded with values
  std::vector<std::string> outputs;  // patterns of paths in the working directory that belong to the output, too
  JsonText docker_run_args{"{}"};
  bool network = true;                               // the host's network; false: none
  std::string runtime;                               // "sandbox" or "process"; "": what the worker can do best
  JsonText configuration{"{}"};                      // as merged, for describe and rerun
  JsonText metadata{"{}"};                           // git, host, captured environment; only carried
  std::optional<ExecutionId> previous_execution_id;  // of a rerun
  std::optional<IndexRange> parallel_indices_range;  // set: this is a composite
  int64_t indices_per_execution = 1;
  std::optional<ExecutionId> parent_id;  // set: this is a part of a composite
  std::optional<IndexRange> indices;     // of a part: the indices it runs
  bool operator==(const ExecutionSpec&) const = default;

  bool is_composite() const { return parallel_indices_range.has_value(); }
};

// What a part of a composite is asked for: what the whole is, for some of its indices. `spec` is the whole's.
inline void restrict_to_part(ExecutionSpec& spec, ExecutionId composite, IndexRange indices) {
  spec.parallel_indices_range.reset();
  spec.parent_id = composite;
  spec.indices = indices;
}

// When each phase began. Absent: it has not, or never will.
struct PhaseTimes {
  std::optional<Timestamp> submitted, assigned, started, command_ended, finished;
  bool operator==(const PhaseTimes&) const = default;
};

// How Execution::waiting_for begins where a disk is full.
inline constexpr std::string_view kWaitsForRoom = "room: ";
// Of an execution in a container that is being started: what it prints is shown as it comes.
inline constexpr std::string_view kWaitsForEnvironment = "its environment to be prepared";

struct Execution {
  ExecutionId id;
  ExecutionSpec spec;
  ExecutionState state = ExecutionState::queued;
  std::optional<Outcome> outcome;  // set when finished, and only then
  std::string waiting_for;         // why it is not running yet
  bool stop_requested = false;
  PhaseTimes times;
  uint32_t attempts = 0;                // how many tries there were, the current one included
  std::optional<AttemptId> attempt_id;  // the current or last one
  std::optional<InstanceId> instance_id;
  std::optional<Digest> output_tree;  // set once the output is in the store
  uint64_t output_bytes = 0;
  std::optional<ImageIdentity> image;  // what it ran in, once known; none in a sandbox
  bool operator==(const Execution&) const = default;
};

// Its output could not be stored: as far as there is any, it is kept on its instance.
inline bool has_kept_output(const Execution& execution) {
  return execution.outcome && execution.outcome->kind == OutcomeKind::output_not_stored && execution.attempt_id;
}

// One try at an execution on one instance.
struct Attempt {
  AttemptId id;
  ExecutionId execution_id;
  InstanceId instance_id;
  uint32_t number = 1;               // from 1
  std::vector<std::string> gpu_ids;  // handed out to it, to nobody else meanwhile
  std::optional<Timestamp> started, ended;
  uint64_t log_bytes = 0;  // how much of its log the controller holds
  bool log_complete = false;
  bool operator==(const Attempt&) const = default;
};

// A value that a job wrote. Append-only.
struct MeasureEvent {
  uint64_t sequence = 0;  // from 1, within the attempt; makes a repeated report harmless
  std::string path;       // "summary", "epoch/3/loss": the file's path below the measures directory
  Timestamp time;
  JsonText value;                // exactly as written, or {"base64_bytes": …} when it was not JSON
  std::optional<int64_t> index;  // the parallel index it belongs to
  bool operator==(const MeasureEvent&) const = default;
};

}  // namespace plz
