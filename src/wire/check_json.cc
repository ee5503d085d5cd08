#include "wire/check_json.h"

#include "wire/model_shapes.h"

namespace plz {

template <>
struct Shape<CheckRequest> {
  static void members(auto& json, auto& value) { json.optional("repair", value.repair); }
};

template <>
struct Shape<DamagedBlob> {
  static void members(auto& json, auto& value) {
    json.required("digest", value.digest);
    json.optional("pack", value.pack);
    json.optional("bytes", value.bytes);
    json.optional("fault", value.fault);
  }
};

template <>
struct Shape<DamagedExecution> {
  static void members(auto& json, auto& value) {
    json.required("execution_id", value.execution_id);
    json.optional("damaged", value.damaged);
  }
};

template <>
struct Shape<DamagedLog> {
  static void members(auto& json, auto& value) {
    json.required("execution_id", value.execution_id);
    json.optional("attempt_id", value.attempt_id);
    json.optional("log", value.log);
    json.optional("from", value.from);
    json.optional("to", value.to);
    json.optional("fault", value.fault);
    json.optional("sent_again", value.sent_again);
  }
};

struct LogDamageAnswer {
  std::vector<DamagedLog> damage;
};

template <>
struct Shape<LogDamageAnswer> {
  static void members(auto& json, auto& value) { json.required("damage", value.damage); }
};

template <>
struct Shape<CheckReport> {
  static void members(auto& json, auto& value) {
    json.optional("checked_bytes", value.checked_bytes);
    json.optional("total_bytes", value.total_bytes);
    json.optional("blobs", value.blobs);
    json.optional("packs", value.packs);
    json.optional("logs", value.logs);
    json.optional("log_bytes", value.log_bytes);
    json.optional("done", value.done);
    json.optional("damaged", value.damaged);
    json.optional("damaged_logs", value.damaged_logs);
    json.optional("executions", value.executions);
    json.optional("database", value.database);
    json.optional("healed", value.healed);
  }
};

std::string check_request_to_json(const CheckRequest& request) { return write_document(request); }
Result<CheckRequest> check_request_from_json(std::string_view json) { return read_document<CheckRequest>(json); }
std::string check_report_to_json(const CheckReport& report) { return write_document(report); }
Result<CheckReport> check_report_from_json(std::string_view json) { return read_document<CheckReport>(json); }

std::string log_damage_to_json(const std::vector<DamagedLog>& damage) {
  return write_document(LogDamageAnswer{damage});
}

Result<std::vector<DamagedLog>> log_damage_from_json(std::string_view json) {
  return read_document<LogDamageAnswer>(json).map([](LogDamageAnswer answer) { return std::move(answer.damage); });
}

}  // namespace plz
