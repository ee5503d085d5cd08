#include "wire/worker_api.h"

#include "wire/model_shapes.h"
#include "wire/process_attributes_json.h"

namespace plz {
namespace {

struct LogSize {
  uint64_t bytes = 0;
};
struct Waiting {
  std::string waiting_for;
};

}  // namespace

template <>
struct Shape<LogSize> {
  static void members(auto& json, auto& value) { json.required("bytes", value.bytes); }
};

template <>
struct Shape<Waiting> {
  static void members(auto& json, auto& value) { json.required("waiting_for", value.waiting_for); }
};

template <>
struct Shape<WorkerRegistration> {
  static void members(auto& json, auto& value) {
    json.optional("instance_id", value.instance_id);
    json.required("version", value.version);
    json.required("host_name", value.host_name);
    json.required("capacity", value.capacity);
    json.required("runtimes", value.runtimes);
    json.required("attempts", value.attempts);
  }
};

template <>
struct Shape<WorkerRegistered> {
  static void members(auto& json, auto& value) {
    json.required("instance_id", value.instance_id);
    json.optional("forget", value.forget);
  }
};

template <>
struct Shape<Assignment> {
  static void members(auto& json, auto& value) {
    json.required("attempt_id", value.attempt_id);
    json.required("execution_id", value.execution_id);
    json.required("spec", value.spec);
    variables(json, "shell_environment", value.shell_environment);
    process_attributes(json, value.process_attributes);
    json.optional("gpu_ids", value.gpu_ids);
    json.optional("images_repository", value.images_repository);
  }
};

template <>
struct Shape<StopOrder> {
  static void members(auto& json, auto& value) {
    json.required("attempt_id", value.attempt_id);
    json.optional("grace_milliseconds", value.grace_milliseconds);
  }
};

template <>
struct Shape<CaptureOrder> {
  static void members(auto& json, auto& value) {
    json.required("attempt_id", value.attempt_id);
    json.required("request_id", value.request_id);
  }
};

template <>
struct Shape<CollectionOrder> {
  static void members(auto& json, auto& value) {
    json.required("request_id", value.request_id);
    json.optional("dry_run", value.dry_run);
    json.optional("environments", value.environments);
    json.optional("caches", value.caches);
    json.optional("keep_images", value.keep_images);
    json.optional("kept_at", value.kept_at);
    json.optional("outputs_until", value.outputs_until);
    json.optional("keep_outputs", value.keep_outputs);
    json.optional("drop_outputs", value.drop_outputs);
  }
};

template <>
struct Shape<WorkerOrders> {
  static void members(auto& json, auto& value) {
    json.optional("assignments", value.assignments);
    json.optional("stops", value.stops);
    json.optional("captures", value.captures);
    json.optional("collections", value.collections);
    json.optional("shut_down", value.shut_down);
  }
};

template <>
struct Shape<AttemptMoment> {
  static void members(auto& json, auto& value) {
    json.required("time", value.time);
    json.optional("image", value.image);
  }
};

template <>
struct Shape<FinishReport> {
  static void members(auto& json, auto& value) {
    json.required("outcome", value.outcome);
    json.optional("started", value.started);
    json.optional("ended", value.ended);
    json.optional("output_tree", value.output_tree);
    json.optional("output_bytes", value.output_bytes);
    json.required("log_bytes", value.log_bytes);
    json.optional("measures", value.measures);
    json.optional("image", value.image);
  }
};

template <>
struct Shape<CaptureReport> {
  static void members(auto& json, auto& value) {
    json.optional("output_tree", value.output_tree);
    json.optional("output_bytes", value.output_bytes);
    json.optional("error", value.error);
  }
};

std::string registration_to_json(const WorkerRegistration& registration) { return write_document(registration); }
Result<WorkerRegistration> registration_from_json(std::string_view json) {
  return read_document<WorkerRegistration>(json);
}

std::string registered_to_json(const WorkerRegistered& registered) { return write_document(registered); }
Result<WorkerRegistered> registered_from_json(std::string_view json) { return read_document<WorkerRegistered>(json); }

std::string assignment_to_json(const Assignment& assignment) { return write_document(assignment); }
Result<Assignment> assignment_from_json(std::string_view json) { return read_document<Assignment>(json); }

std::string orders_to_json(const WorkerOrders& orders) { return write_document(orders); }
Result<WorkerOrders> orders_from_json(std::string_view json) { return read_document<WorkerOrders>(json); }

std::string moment_to_json(const AttemptMoment& moment) { return write_document(moment); }
Result<AttemptMoment> moment_from_json(std::string_view json) { return read_document<AttemptMoment>(json); }

std::string waiting_to_json(const std::string& waiting_for) { return write_document(Waiting{waiting_for}); }
Result<std::string> waiting_from_json(std::string_view json) {
  PLZ_ASSIGN(Waiting waiting, read_document<Waiting>(json));
  return std::move(waiting.waiting_for);
}

std::string log_size_to_json(uint64_t bytes) { return write_document(LogSize{bytes}); }
Result<uint64_t> log_size_from_json(std::string_view json) {
  PLZ_ASSIGN(LogSize size, read_document<LogSize>(json));
  return size.bytes;
}

std::string finish_to_json(const FinishReport& report) { return write_document(report); }
Result<FinishReport> finish_from_json(std::string_view json) { return read_document<FinishReport>(json); }

std::string capture_report_to_json(const CaptureReport& report) { return write_document(report); }
Result<CaptureReport> capture_report_from_json(std::string_view json) { return read_document<CaptureReport>(json); }

}  // namespace plz
