// A machine that a worker lives on, and the worker that speaks for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process_attributes.h"
#include "model/execution.h"
#include "model/ids.h"
#include "model/resources.h"

namespace plz {

enum class InstanceState : int {  // persisted: do not renumber
  starting = 0,                   // asked for, its worker has not dialled in
  idle = 1,
  busy = 2,
  gone = 3,
};

// What a runtime on the worker's machine can do, or why it cannot.
struct RuntimeFingerprint {
  std::string name;  // "sandbox", "process", "docker"
  bool available = false;
  std::string version;
  std::string detail;          // why it is not available, or a warning, or what else its engine says of itself
  bool may_come_back = false;  // not available for want of something that may be there soon; only its worker knows
  bool operator==(const RuntimeFingerprint&) const = default;
};

struct Instance {
  InstanceId id;
  std::string provider = "local";
  std::string type;  // "" for the local one
  std::string host_name;
  InstanceState state = InstanceState::starting;
  Capacity capacity;
  std::vector<RuntimeFingerprint> runtimes;
  std::vector<ExecutionId> executions;  // assigned to it and not finished
  Timestamp created;
  std::optional<Timestamp> idle_since;
  std::optional<Timestamp> disposal;   // when it will be given back
  std::optional<Timestamp> last_seen;  // the worker's last word
  bool operator==(const Instance&) const = default;
};

// What the controller hands to a worker: one attempt, with all that it takes to run it.
struct Assignment {
  AttemptId attempt_id;
  ExecutionId execution_id;
  ExecutionSpec spec;
  EnvironmentVariables shell_environment;  // of the submitting shell; embedded controller only
  std::vector<std::string> gpu_ids;
  std::string images_repository;         // built images are pushed there and looked for; "": nowhere
  ProcessAttributes process_attributes;  // of the submitting shell; embedded controller only
  bool operator==(const Assignment&) const = default;
};

std::string_view to_string(InstanceState state);

}  // namespace plz
