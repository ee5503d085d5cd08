#include "wire/instance_json.h"

#include "wire/model_shapes.h"

namespace plz {
namespace {

struct Instances {
  std::vector<Instance> instances;
};

}  // namespace

template <>
struct Shape<Instance> {
  static void members(auto& json, auto& value) {
    json.required("instance_id", value.id);
    json.optional("provider", value.provider);
    json.optional("type", value.type);
    json.optional("host_name", value.host_name);
    json.required("state", value.state);
    json.optional("capacity", value.capacity);
    json.optional("runtimes", value.runtimes);
    json.optional("executions", value.executions);
    json.required("created", value.created);
    json.optional("idle_since", value.idle_since);
    json.optional("disposal", value.disposal);
    json.optional("last_seen", value.last_seen);
  }
};

template <>
struct Shape<Instances> {
  static void members(auto& json, auto& value) { json.required("instances", value.instances); }
};

template <>
struct Shape<KillRequest> {
  static void members(auto& json, auto& value) {
    json.optional("instance_ids", value.instance_ids);
    json.optional("all", value.all);
    json.optional("including_idle", value.including_idle);
    json.optional("force_if_not_idle", value.force_if_not_idle);
    json.optional("berserk", value.berserk);
    json.optional("user", value.user);
  }
};

template <>
struct Shape<KillAnswer::Refusal> {
  static void members(auto& json, auto& value) {
    json.required("instance_id", value.instance_id);
    json.optional("reason", value.reason);
  }
};

template <>
struct Shape<KillAnswer> {
  static void members(auto& json, auto& value) {
    json.required("killed", value.killed);
    json.optional("refused", value.refused);
  }
};

template <>
struct Shape<Ping> {
  static void members(auto& json, auto& value) {
    json.required("version", value.version);
    json.required("api", value.api);
    json.optional("embedded", value.embedded);
    json.optional("pid", value.pid);
    json.optional("unfinished", value.unfinished);
    json.optional("started", value.started);
  }
};

std::string instances_to_json(const std::vector<Instance>& instances) { return write_document(Instances{instances}); }
Result<std::vector<Instance>> instances_from_json(std::string_view json) {
  PLZ_ASSIGN(Instances document, read_document<Instances>(json));
  return std::move(document.instances);
}

std::string kill_to_json(const KillRequest& request) { return write_document(request); }
Result<KillRequest> kill_from_json(std::string_view json) { return read_document<KillRequest>(json); }

std::string kill_answer_to_json(const KillAnswer& answer) { return write_document(answer); }
Result<KillAnswer> kill_answer_from_json(std::string_view json) { return read_document<KillAnswer>(json); }

std::string ping_to_json(const Ping& ping) { return write_document(ping); }
Result<Ping> ping_from_json(std::string_view json) { return read_document<Ping>(json); }

std::string reason_to_json(std::string_view reason) {
  JsonWriter json;
  json.open('{');
  json.required("reason", reason);
  json.close('}');
  return json.take();
}

}  // namespace plz
