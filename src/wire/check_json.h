// Checks of store and logs (plz check) on the wire: POST /v1/checks answers with lines of JSON, of which all but the
// last say how far it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/ids.h"

namespace plz {

struct CheckRequest {
  bool repair = false;  // damaged blobs count as missing from then on, so that captures store them anew
};
std::string check_request_to_json(const CheckRequest& request);
Result<CheckRequest> check_request_from_json(std::string_view json);

struct DamagedBlob {
  std::string digest, pack, fault;
  uint64_t bytes = 0;
};

// An execution that refers to something damaged, or something that the store lacks.
struct DamagedExecution {
  std::string execution_id;
  std::vector<std::string> damaged;  // "code", "input", "output"
};

// Bytes of a log that are not what was acknowledged.
struct DamagedLog {
  std::string execution_id, attempt_id;
  std::string log = "job";    // or "preparation"
  uint64_t from = 0, to = 0;  // [from, to); not all need to be there
  std::string fault;          // goes on after "bytes 5 to 7: "
  bool sent_again = false;    // by the worker, which still has them
};
// The answer of GET /v1/executions/{id}/log-damage: {"damage": [...]}.
std::string log_damage_to_json(const std::vector<DamagedLog>& damage);
Result<std::vector<DamagedLog>> log_damage_from_json(std::string_view json);

struct CheckReport {
  uint64_t checked_bytes = 0, total_bytes = 0;  // as stored
  uint64_t blobs = 0, packs = 0;
  uint64_t logs = 0, log_bytes = 0;
  bool done = false;  // else how far it is, and what follows is empty
  std::vector<DamagedBlob> damaged;
  std::vector<DamagedLog> damaged_logs;
  std::vector<DamagedExecution> executions;
  std::string database;  // not empty: what is wrong with it
  uint64_t healed = 0;   // were marked as damaged, and are sound
};
std::string check_report_to_json(const CheckReport& report);
Result<CheckReport> check_report_from_json(std::string_view json);

}  // namespace plz
