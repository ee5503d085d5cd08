#include "controller/api/worker_rules.h"

#include <fmt/core.h>

#include "controller/api/field_rules.h"

namespace plz {
namespace {

constexpr size_t kMostWordsBytes = 1u << 20;  // of an engine that explains itself
constexpr size_t kMostIdBytes = 1024;
constexpr size_t kMostPathBytes = 64u << 10;
constexpr size_t kMostListed = 1'000'000;
constexpr size_t kMostOfMachine = 4096;  // GPUs, runtimes
constexpr double kMostProcessorsOfMachine = 1e6;

Result<void> check_outcome(const Outcome& outcome) {
  PLZ_TRY(check_whole("outcome.exit_status", int64_t{outcome.exit_status.value_or(0)}, 0, 255));
  PLZ_TRY(check_whole("outcome.signal", int64_t{outcome.signal.value_or(1)}, 1, 64));
  return check_text("outcome.reason", outcome.reason, kMostWordsBytes);
}

Result<void> check_objects(std::string_view field, const std::vector<CollectedObject>& objects) {
  PLZ_TRY(check_count(field, objects.size(), kMostListed));
  for (const CollectedObject& object : objects) {
    PLZ_TRY(check_text(field, object.id, kMostIdBytes));
    PLZ_TRY(check_text(field, object.name, kMostPathBytes));
    PLZ_TRY(check_whole(field, object.bytes, uint64_t{INT64_MAX}));
  }
  return {};
}

}  // namespace

Result<void> check_registration(const WorkerRegistration& registration) {
  PLZ_TRY(check_text("version", registration.version, kMostIdBytes));
  PLZ_TRY(check_text("host_name", registration.host_name, kMostIdBytes));
  PLZ_TRY(check_positive("capacity.cpus", registration.capacity.cpus, kMostProcessorsOfMachine));
  PLZ_TRY(check_whole("capacity.memory_bytes", registration.capacity.memory_bytes));
  PLZ_TRY(check_texts("capacity.gpus", registration.capacity.gpus, kMostOfMachine, kMostIdBytes, kMostWordsBytes));
  PLZ_TRY(check_count("runtimes", registration.runtimes.size(), kMostOfMachine));
  for (const RuntimeFingerprint& runtime : registration.runtimes) {
    PLZ_TRY(check_text("runtimes.name", runtime.name, kMostIdBytes));
    PLZ_TRY(check_text("runtimes.version", runtime.version, kMostPathBytes));
    PLZ_TRY(check_text("runtimes.detail", runtime.detail, kMostWordsBytes));
  }
  return check_count("attempts", registration.attempts.size(), kMostListed);
}

Result<void> check_moment(const AttemptMoment& moment) {
  return moment.image ? check_image("image", *moment.image) : Result<void>();
}

Result<void> check_waiting(const std::string& waiting_for) {
  return check_text("waiting_for", waiting_for, kMostPathBytes);
}

Result<void> check_measures(const std::vector<MeasureEvent>& events) {
  PLZ_TRY(check_count("measures", events.size(), kMostListed));
  for (const MeasureEvent& event : events) {
    if (event.path.empty()) return fail(ErrorCode::invalid, "a measure must have a path");
    PLZ_TRY(check_text("a measure's path", event.path, kMostPathBytes));
    if (event.sequence == 0) return fail(ErrorCode::invalid, "a measure's sequence must be 1 or more");
    PLZ_TRY(check_whole("a measure's sequence", event.sequence, uint64_t{INT64_MAX}));
    PLZ_TRY(check_whole("a measure's index", event.index.value_or(0), INT64_MIN + 1, INT64_MAX));
  }
  return {};
}

Result<void> check_finish(const FinishReport& report) {
  PLZ_TRY(check_outcome(report.outcome));
  PLZ_TRY(check_whole("output_bytes", report.output_bytes, uint64_t{INT64_MAX}));
  PLZ_TRY(check_whole("log_bytes", report.log_bytes, uint64_t{INT64_MAX}));
  if (report.image) PLZ_TRY(check_image("image", *report.image));
  return check_measures(report.measures);
}

Result<void> check_capture(const CaptureReport& report) {
  PLZ_TRY(check_whole("output_bytes", report.output_bytes, uint64_t{INT64_MAX}));
  return check_text("error", report.error, kMostWordsBytes);
}

Result<void> check_collection(const WorkerCollection& collection) {
  PLZ_TRY(check_objects("images", collection.images));
  PLZ_TRY(check_objects("containers", collection.containers));
  PLZ_TRY(check_whole("trees", collection.trees, uint64_t{INT64_MAX}));
  PLZ_TRY(check_whole("outputs", collection.outputs, uint64_t{INT64_MAX}));
  PLZ_TRY(check_whole("output_bytes", collection.output_bytes, uint64_t{INT64_MAX}));
  PLZ_TRY(check_whole("kept_outputs", collection.kept_outputs, uint64_t{INT64_MAX}));
  PLZ_TRY(check_whole("kept_output_bytes", collection.kept_output_bytes, uint64_t{INT64_MAX}));
  PLZ_TRY(check_whole("tree_bytes", collection.tree_bytes, uint64_t{INT64_MAX}));
  return check_text("error", collection.error, kMostWordsBytes);
}

}  // namespace plz
