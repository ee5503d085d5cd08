// Instances on the wire.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/instance.h"

namespace plz {

// {"instances": [{"instance_id", "provider", "type", "host_name", "state", "capacity", "runtimes",
//   "executions", "created", "idle_since", "disposal", "last_seen"}]}
std::string instances_to_json(const std::vector<Instance>& instances);
Result<std::vector<Instance>> instances_from_json(std::string_view json);

// POST /v1/instances/kill
struct KillRequest {
  std::vector<InstanceId> instance_ids;
  bool all = false;
  bool including_idle = false;
  bool force_if_not_idle = false;
  bool berserk = false;  // others' too
  std::string user;
};
std::string kill_to_json(const KillRequest& request);
Result<KillRequest> kill_from_json(std::string_view json);

// {"killed": [id…], "refused": [{"instance_id", "reason"}]}
struct KillAnswer {
  struct Refusal {
    InstanceId instance_id;
    std::string reason;
  };
  std::vector<InstanceId> killed;
  std::vector<Refusal> refused;
};
std::string kill_answer_to_json(const KillAnswer& answer);
Result<KillAnswer> kill_answer_from_json(std::string_view json);

// GET /v1/ping
struct Ping {
  std::string version;
  int api = 1;
  bool embedded = false;
  int64_t pid = 0;
  uint64_t unfinished = 0;  // executions
  std::optional<Timestamp> started;
};
std::string ping_to_json(const Ping& ping);
Result<Ping> ping_from_json(std::string_view json);

// POST /v1/shutdown: {"reason"}
std::string reason_to_json(std::string_view reason);

}  // namespace plz
