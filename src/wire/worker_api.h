// What worker and controller say to each other. See docs/api for the requests they belong to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/execution.h"
#include "model/instance.h"

namespace plz {

// POST /v1/workers: a worker dials in, also again after either side restarted.
struct WorkerRegistration {
  std::optional<InstanceId> instance_id;  // kept by the worker from an earlier registration, or given by its provider
  std::string version;
  std::string host_name;
  Capacity capacity;
  std::vector<RuntimeFingerprint> runtimes;
  std::vector<AttemptId> attempts;  // those it has in hand: the controller requeues the others
};
std::string registration_to_json(const WorkerRegistration& registration);
Result<WorkerRegistration> registration_from_json(std::string_view json);

struct WorkerRegistered {
  InstanceId instance_id;
  std::vector<AttemptId> forget;  // of `attempts`: finished or unknown, to be thrown away
};
std::string registered_to_json(const WorkerRegistered& registered);
Result<WorkerRegistered> registered_from_json(std::string_view json);

// POST /v1/workers/{instance}/poll?wait=SECONDS
struct StopOrder {
  AttemptId attempt_id;
  int64_t grace_milliseconds = 10'000;
};
struct CaptureOrder {  // capture the output of a running attempt now, or that which was kept of one that has ended
  AttemptId attempt_id;
  std::string request_id;
};
struct CollectionOrder {  // remove (dry_run: only tell) what nobody needs on the machine
  std::string request_id;
  bool dry_run = false;
  bool environments = false;             // images and leftover containers
  bool caches = false;                   // trees that no attempt is using
  std::vector<std::string> keep_images;  // ids
  std::optional<Timestamp> kept_at;      // when these were all; what the worker has used since stays, too
  // Output that could not be stored and is kept there: of attempts made before this one all goes but keep_outputs.
  std::optional<AttemptId> outputs_until;
  std::vector<AttemptId> keep_outputs;
  std::vector<AttemptId> drop_outputs;  // these go in any case
};
struct WorkerOrders {
  std::vector<Assignment> assignments;
  std::vector<StopOrder> stops;
  std::vector<CaptureOrder> captures;
  std::vector<CollectionOrder> collections;
  bool shut_down = false;  // the instance is being given back: end when idle
};
// An assignment by itself: as a worker keeps it in the attempt's directory.
std::string assignment_to_json(const Assignment& assignment);
Result<Assignment> assignment_from_json(std::string_view json);
std::string orders_to_json(const WorkerOrders& orders);
Result<WorkerOrders> orders_from_json(std::string_view json);

// POST /v1/attempts/{id}/started, …/command-ended
struct AttemptMoment {
  Timestamp time;
  std::optional<ImageIdentity> image = {};  // of a start: what the job runs in, if that is a container
};
std::string moment_to_json(const AttemptMoment& moment);
Result<AttemptMoment> moment_from_json(std::string_view json);

// POST /v1/attempts/{id}/waiting: {"waiting_for"}, what keeps it from going on, as a sentence's end; "": nothing does.
std::string waiting_to_json(const std::string& waiting_for);
Result<std::string> waiting_from_json(std::string_view json);

// GET and PUT /v1/attempts/{id}/log and …/preparation-log: {"bytes"}
std::string log_size_to_json(uint64_t bytes);
Result<uint64_t> log_size_from_json(std::string_view json);

// POST /v1/attempts/{id}/finish: after the whole log and all measures were acknowledged.
struct FinishReport {
  Outcome outcome;
  std::optional<Timestamp> started, ended;
  std::optional<Digest> output_tree;
  uint64_t output_bytes = 0;
  uint64_t log_bytes = 0;              // conflict if the controller has not as many
  std::vector<MeasureEvent> measures;  // the last ones, to save a request
  std::optional<ImageIdentity> image;  // as in AttemptMoment, whose message may never have been sent
};
std::string finish_to_json(const FinishReport& report);
Result<FinishReport> finish_from_json(std::string_view json);

// POST /v1/attempts/{id}/output-captures/{request_id}; also the answer to the one who asked.
struct CaptureReport {
  std::optional<Digest> output_tree;
  uint64_t output_bytes = 0;
  std::string error;  // set: it failed
};
std::string capture_report_to_json(const CaptureReport& report);
Result<CaptureReport> capture_report_from_json(std::string_view json);

}  // namespace plz
