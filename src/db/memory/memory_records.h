// What the classes of records in memory share: everything, behind one lock.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "db/blob_records.h"
#include "db/execution_records.h"
#include "db/identity_records.h"
#include "model/instance.h"

namespace plz {

struct MemoryExecution {
  ExecutionRecord record;
  SubmittingShell shell;
  std::string document;
};

struct MemoryKey {
  ExecutionId execution;
  std::optional<Digest> request;
};

struct MemoryRecords {
  std::mutex mutex;  // guards all of it
  std::map<ExecutionId, MemoryExecution> executions;
  std::map<std::pair<std::string, std::string>, MemoryKey> idempotency_keys;  // by user and key
  std::map<AttemptId, Attempt> attempts;
  std::map<AttemptId, std::map<uint64_t, MeasureEvent>> measures;  // by sequence
  std::map<InstanceId, Instance> instances;
  std::map<Digest, BlobRecord> blobs;
  std::map<Uuid, uint64_t> packs;  // those that a blob lies in; by the order of their recording
  uint64_t last_pack = 0;
  uint64_t reference_changes = 0;
  std::map<LeaseId, Timestamp> leases;
  std::set<Uuid> dropped_packs;
  std::map<Digest, std::string> damaged_blobs;
  DatabaseIdentity identity{Uuid::make_v7(SystemClock()), false, false};
  std::vector<Uuid> openings;
};

}  // namespace plz
