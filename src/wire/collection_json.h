// Collections (plz gc) on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/ids.h"

namespace plz {

// POST /v1/collections
struct CollectionRequest {
  bool dry_run = false;      // only tell
  bool environments = true;  // images and leftover containers on the workers' machines, too
  bool caches = false;       // and the workers' copies of trees that no attempt is using
  bool wait = true;          // for the end of one that is under way; else that is a conflict
};
std::string collection_request_to_json(const CollectionRequest& request);
Result<CollectionRequest> collection_request_from_json(std::string_view json);

// An image or a container; bytes as the engine counts them, of an image those beyond what stays below it.
struct CollectedObject {
  std::string id, name;
  uint64_t bytes = 0;
  bool operator==(const CollectedObject&) const = default;
};

// POST /v1/workers/{id}/collections/{request}: what a worker removed, or would remove.
struct WorkerCollection {
  std::vector<CollectedObject> images, containers;
  std::vector<std::string> engines;    // whose images and containers were looked at: their addresses
  uint64_t trees = 0, tree_bytes = 0;  // of the cache
  std::string error;                   // not empty: not all of it could be done
  // Output that could not be stored, and lies on the machine: what went with its execution, and what stays.
  uint64_t outputs = 0, output_bytes = 0;
  uint64_t kept_outputs = 0, kept_output_bytes = 0;
};
std::string worker_collection_to_json(const WorkerCollection& collection);
Result<WorkerCollection> worker_collection_from_json(std::string_view json);

struct InstanceCollection {
  InstanceId instance_id;
  std::string host_name;
  WorkerCollection collection;  // its members beside these, on the wire
};

// The answer. `bytes` is exactly what the store's files shrank by, or will with the same request in the
// same state.
struct CollectionReport {
  bool dry_run = false;
  uint64_t blobs = 0, bytes = 0;
  uint64_t packs_removed = 0, packs_rewritten = 0;
  std::string held_up;  // not empty: why not all of the store could be looked after
  std::string error;    // not empty: what failed; what was done before stays done
  std::vector<InstanceCollection> instances;
};
std::string collection_report_to_json(const CollectionReport& report);
Result<CollectionReport> collection_report_from_json(std::string_view json);

}  // namespace plz
