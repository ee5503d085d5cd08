// The shapes of model's values.
#pragma once

#include "model/execution.h"
#include "model/instance.h"
#include "wire/json_reader.h"
#include "wire/json_writer.h"
#include "wire/shape.h"

namespace plz {

// Variables in their order: {"NAME": "value"}; a list of [name, value] where names repeat or are not
// UTF-8.
void write_variables(JsonWriter& json, std::string_view name, const EnvironmentVariables& variables);
void read_variables(JsonReader& json, std::string_view name, EnvironmentVariables& variables);

inline void variables(JsonWriter& json, std::string_view name, const EnvironmentVariables& value) {
  write_variables(json, name, value);
}
inline void variables(JsonReader& json, std::string_view name, EnvironmentVariables& value) {
  read_variables(json, name, value);
}
// [from, to]
void range(JsonWriter& json, std::string_view name, const std::optional<IndexRange>& value);
void range(JsonReader& json, std::string_view name, std::optional<IndexRange>& value);

template <>
struct EnumNames<ExecutionState> {
  static constexpr std::string_view kExpected = "queued, starting, running, finishing or finished";
  static std::string_view name(ExecutionState state) { return to_string(state); }
  static std::optional<ExecutionState> parse(std::string_view text) { return parse_execution_state(text); }
};
template <>
struct EnumNames<OutcomeKind> {
  static constexpr std::string_view kExpected =
      "succeeded, exited, signalled, could_not_start, output_not_stored, stopped or lost";
  static std::string_view name(OutcomeKind kind) { return to_string(kind); }
  static std::optional<OutcomeKind> parse(std::string_view text) { return parse_outcome_kind(text); }
};
template <>
struct EnumNames<MarketType> {
  static constexpr std::string_view kExpected = "on_demand or spot";
  static std::string_view name(MarketType type) { return type == MarketType::spot ? "spot" : "on_demand"; }
  static std::optional<MarketType> parse(std::string_view text) {
    if (text == "spot") return MarketType::spot;
    if (text == "on_demand") return MarketType::on_demand;
    return std::nullopt;
  }
};
template <>
struct EnumNames<InstanceState> {
  static constexpr std::string_view kExpected = "starting, idle, busy or gone";
  static std::string_view name(InstanceState state) { return to_string(state); }
  static std::optional<InstanceState> parse(std::string_view text) {
    using enum InstanceState;
    for (auto state : {starting, idle, busy, gone})
      if (to_string(state) == text) return state;
    return std::nullopt;
  }
};

template <>
struct Shape<Outcome> {
  static void members(auto& json, auto& value) {
    json.required("kind", value.kind);
    json.optional("exit_status", value.exit_status);
    json.optional("signal", value.signal);
    json.optional("out_of_memory", value.out_of_memory);
    json.optional("reason", value.reason);
  }
};
template <>
struct Shape<ImageIdentity> {
  static void members(auto& json, auto& value) {
    json.required("id", value.id);
    json.optional("digest", value.digest);
    json.optional("base_id", value.base_id);
    json.optional("base_digest", value.base_digest);
  }
};
template <>
struct Shape<EnvironmentRecipe> {
  static void members(auto& json, auto& value) {
    json.optional("image", value.image);
    json.optional("image_extensions", value.image_extensions);
    json.optional("dockerfile", value.dockerfile);
    json.optional("pinned", value.pinned);
  }
};
template <>
struct Shape<Snapshot> {
  static void members(auto& json, auto& value) {
    json.required("code_tree", value.code_tree);
    json.optional("environment", value.environment);
  }
};
template <>
struct Shape<Input> {
  static void members(auto& json, auto& value) {
    json.required("tree", value.tree);
    json.optional("source", value.source);
    json.optional("total_bytes", value.total_bytes);
  }
};
template <>
struct Shape<Resources> {
  static void members(auto& json, auto& value) {
    json.optional("cpus", value.cpus);
    json.optional("memory_bytes", value.memory_bytes);
    json.optional("gpus", value.gpus);
  }
};
template <>
struct Shape<Capacity> {
  static void members(auto& json, auto& value) {
    json.optional("cpus", value.cpus);
    json.optional("memory_bytes", value.memory_bytes);
    json.optional("gpus", value.gpus);
  }
};
template <>
struct Shape<RuntimeFingerprint> {
  static void members(auto& json, auto& value) {
    json.required("name", value.name);
    json.optional("available", value.available);
    json.optional("version", value.version);
    json.optional("detail", value.detail);
  }
};

// Beside other members, so its names are the configuration's own.
template <>
struct Shape<MarketSpec> {
  static void members(auto& json, auto& value) {
    json.optional("instance_type", value.instance_type);
    json.optional("instance_market_type", value.market_type);
    json.optional("max_bid_price_in_dollars_per_hour", value.max_bid_price_in_dollars_per_hour);
    // null is a value here: no limit.
    if (json_has(json, "instance_max_uptime_in_minutes"))
      json.required("instance_max_uptime_in_minutes", value.instance_max_uptime_in_minutes);
    json.optional("instance_max_idle_time_in_minutes", value.instance_max_idle_time_in_minutes);
  }

 private:
  static bool json_has(const JsonWriter&, std::string_view) { return true; }
  static bool json_has(const JsonReader& json, std::string_view name) { return json.has(name); }
};

template <>
struct Shape<ExecutionSpec> {
  static void members(auto& json, auto& value) {
    json.required("user", value.user);
    json.required("project", value.project);
    json.required("command", value.command);
    json.object("parameters", value.parameters);
    json.required("snapshot", value.snapshot);
    json.optional("input", value.input);
    Shape<MarketSpec>::members(json, value.market);
    json.optional("resources", value.resources);
    variables(json, "environment", value.environment);
    json.object("docker_run_args", value.docker_run_args);
    json.optional("network", value.network);
    json.optional("runtime", value.runtime);
    json.optional("outputs", value.outputs);
    range(json, "parallel_indices_range", value.parallel_indices_range);
    json.optional("indices_per_execution", value.indices_per_execution);
    part_members(json, value);
    json.optional("previous_execution_id", value.previous_execution_id);
    json.object("configuration", value.configuration);
    json.object("metadata", value.metadata);
  }
  // In what a part differs from its composite.
  static void part_members(auto& json, auto& value) {
    indices(json, value.indices);
    json.optional("parent_id", value.parent_id);
  }

 private:
  static void indices(JsonWriter& json, const std::optional<IndexRange>& value);
  static void indices(JsonReader& json, std::optional<IndexRange>& value);
};

template <>
struct Shape<MeasureEvent> {
  static void members(JsonWriter& json, const MeasureEvent& event);
  static void members(JsonReader& json, MeasureEvent& event);
};

}  // namespace plz
