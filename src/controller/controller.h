// The controller, put together over its backends, and its HTTP API.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "controller/collection/collector.h"
#include "controller/deferred_answer.h"
#include "controller/notifier.h"
#include "controller/pipelines/instance_keeper.h"
#include "controller/pipelines/scheduler.h"
#include "controller/services/attempt_reports.h"
#include "controller/services/blob_service.h"
#include "controller/services/capacity_check.h"
#include "controller/services/disk_watch.h"
#include "controller/services/event_log.h"
#include "controller/services/execution_service.h"
#include "controller/services/worker_service.h"
#include "controller/task_pool.h"
#include "db/database.h"
#include "logs/log_store.h"
#include "net/http_types.h"
#include "net/router.h"
#include "provider/provider.h"
#include "store/pack_store.h"

namespace plz {

struct ControllerSettings {
  bool embedded = true;
  std::string version;
  // Of requests on a unix socket: only this user's are served (embedded).
  std::optional<uint32_t> owner_uid;
  // Workers push the images that they build there, and look for them there first; "": nowhere.
  std::string images_repository = {};
  // Whose disks executions need.
  std::vector<std::string> directories = {};
};

// What handlers work with. Everything in it is thread-safe and outlives the server.
struct ControllerContext {
  ControllerSettings settings;
  const Clock& clock;
  const Timestamp started;
  Database& database;
  PackStore& packs;
  LogStore& logs;
  Notifier notifier;
  TaskPool streams{4};  // reads for long answers
  DeadlineTimer timer;
  EventLog events;
  ExecutionService executions;
  BlobService blobs;
  WorkerService workers;
  CapacityCheck capacity;
  DiskWatch disks;
  AttemptReports reports;
  Scheduler scheduler;
  Collector collector;
  // POST /v1/shutdown was asked for.
  std::atomic<bool> shutdown_requested{false};

  ControllerContext(ControllerSettings settings, const Clock& clock, Database& database, PackStore& packs,
                    LogStore& logs, Provider& provider);
};

class Controller {
 public:
  // The backends outlive the controller.
  Controller(ControllerSettings settings, const Clock& clock, Database& database, PackStore& packs, LogStore& logs,
             Provider& provider);
  ~Controller();

  // Reads what was left. Before the first request.
  Result<void> load();
  // Starts the pipelines; without instances, only workers that dial in by themselves are used.
  void start(bool keep_instances);
  void stop();

  // The API. Thread-safe; called by the HTTP server's handler threads.
  Response handle(Request& request);

  // Called several times a second by the owner: wakes long polls that have waited enough.
  void tick();
  bool shutdown_requested() const { return context_.shutdown_requested; }
  // Nothing to do and nobody asked for anything for this long (workers' polls do not count).
  std::chrono::milliseconds idle_for() const;
  ControllerContext& context() { return context_; }
  // Before an idle exit: no job is left, so workers may end too.
  void shut_down_workers() { context_.workers.shut_down_workers(); }

 private:
  Response with_what_is_full(Response response, const Request& request) const;

  ControllerContext context_;
  Router router_;
  InstanceKeeper keeper_;
  SteadyTime next_look_at_disks_{};    // of the thread that ticks
  std::atomic<int64_t> last_request_;  // steady, nanoseconds
};

}  // namespace plz
