// Garbage collection: what no execution needs leaves the store and the workers' machines. One at a time, in the
// order they were asked for, on a thread of its own.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "controller/collection/references.h"
#include "controller/services/blob_service.h"
#include "controller/services/execution_service.h"
#include "controller/services/worker_service.h"
#include "db/database.h"
#include "store/pack_store.h"
#include "wire/collection_json.h"

namespace plz {

struct CollectorSettings {
  std::chrono::milliseconds patience_with_captures{10'000};
  std::chrono::milliseconds patience_with_workers{10 * 60'000};
  std::chrono::milliseconds patience_with_starting_workers{5'000};
};

// Thread-safe. What is kept: what any execution in the records refers to (references.h), finished or not,
// composites and parts; what a lease pins.
class Collector {
 public:
  Collector(Database& database, PackStore& packs, ExecutionService& executions, BlobService& blobs,
            WorkerService& workers, const Clock& clock, CollectorSettings settings = {});
  ~Collector();

  // Begins, or waits for its turn, and returns. `answer` is called once, from another thread. conflict: one is
  // under way, and the request does not wait.
  Result<void> start(const CollectionRequest& request, std::function<void(CollectionReport)> answer);
  bool is_running() const;
  // Ends the one that is under way; it answers. What it has done stays done. Those that wait end before they begin.
  void stop();
  // The same in the caller's thread.
  CollectionReport collect(const CollectionRequest& request, const std::stop_token& stop);

 private:
  struct Asked {
    CollectionRequest request;
    std::function<void(CollectionReport)> answer;
  };

  void serve(const std::stop_token& stop);
  Result<void> collect_store(const CollectionRequest& request, const std::stop_token& stop, CollectionReport& report,
                             References& on_workers);
  // `newer`: made before anything was read.
  void collect_on_workers(const CollectionRequest& request, References kept, AttemptId newer,
                          const std::stop_token& stop, CollectionReport& report);
  std::vector<Instance> present_instances(const std::stop_token& stop) const;

  Database& database_;
  PackStore& packs_;
  ExecutionService& executions_;
  BlobService& blobs_;
  WorkerService& workers_;
  const Clock& clock_;
  const CollectorSettings settings_;
  mutable std::mutex mutex_;
  std::deque<Asked> asked_;  // guarded by mutex_, as all below; the first one is under way
  std::jthread thread_;      // as long as there are any
};

}  // namespace plz
