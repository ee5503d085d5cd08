#include "wire/execution_json.h"

#include <algorithm>
#include <chrono>

#include "wire/json_text.h"
#include "wire/model_shapes.h"
#include "wire/process_attributes_json.h"

namespace plz {
namespace {

struct Output {
  Digest tree;
  uint64_t bytes = 0;
};

struct CurrentAttempt {
  AttemptId id;
  std::optional<InstanceId> instance_id;
};

struct Durations {
  std::optional<double> waiting, starting, running, finishing;
};

struct BriefPart {
  Execution execution;
};

struct PartsPage {
  std::vector<BriefPart> parts;
  std::optional<ExecutionId> cursor;
};

struct IdDocument {
  ExecutionId id;
};

// A clock that was set back between the two makes no time negative.
std::optional<double> seconds_between(std::optional<Timestamp> from, std::optional<Timestamp> to) {
  if (!from || !to) return std::nullopt;
  return std::max(0.0, static_cast<double>((*to - *from).count()) / 1e6);
}

Durations durations_of(const PhaseTimes& times) {
  return {seconds_between(times.submitted, times.assigned), seconds_between(times.assigned, times.started),
          seconds_between(times.started, times.command_ended), seconds_between(times.command_ended, times.finished)};
}

// What follows from other members, and is there for who reads it.
void write_conclusions(JsonWriter& json, const Execution& execution) {
  const auto& outcome = execution.outcome;
  json.required("success", outcome ? std::optional<bool>(outcome->succeeded()) : std::nullopt);
  json.required("exit_status", outcome ? outcome->exit_status : std::nullopt);
}

}  // namespace

template <>
struct Shape<PhaseTimes> {
  static void members(auto& json, auto& value) {
    json.optional("submitted", value.submitted);
    json.optional("assigned", value.assigned);
    json.optional("started", value.started);
    json.optional("command_ended", value.command_ended);
    json.optional("finished", value.finished);
  }
};

template <>
struct Shape<Durations> {
  static void members(auto& json, auto& value) {
    json.optional("waiting", value.waiting);
    json.optional("starting", value.starting);
    json.optional("running", value.running);
    json.optional("finishing", value.finishing);
  }
};

template <>
struct Shape<Output> {
  static void members(auto& json, auto& value) {
    json.required("tree", value.tree);
    json.optional("bytes", value.bytes);
  }
};

template <>
struct Shape<CurrentAttempt> {
  static void members(auto& json, auto& value) {
    json.required("attempt_id", value.id);
    json.optional("instance_id", value.instance_id);
  }
};

template <>
struct Shape<Execution> {
  static void members(auto& json, auto& value) {
    own_members(json, value);
    Shape<ExecutionSpec>::members(json, value.spec);
  }

  // All but the spec's.
  static void own_members(JsonWriter& json, const Execution& value) {
    json.required("execution_id", value.id);
    json.required("state", value.state);
    write_conclusions(json, value);
    json.required("outcome", value.outcome);
    json.required("waiting_for", value.waiting_for);
    json.required("stop_requested", value.stop_requested);
    json.required("attempts", value.attempts);
    std::optional<CurrentAttempt> attempt;
    if (value.attempt_id) attempt = CurrentAttempt{*value.attempt_id, value.instance_id};
    json.required("attempt", attempt);
    json.required("times", value.times);
    json.required("durations", durations_of(value.times));
    std::optional<Output> output;
    if (value.output_tree) output = Output{*value.output_tree, value.output_bytes};
    json.required("output", output);
    json.required("image", value.image);
  }

  static void own_members(JsonReader& json, Execution& value) {
    json.required("execution_id", value.id);
    json.required("state", value.state);
    json.optional("outcome", value.outcome);
    json.optional("waiting_for", value.waiting_for);
    json.optional("stop_requested", value.stop_requested);
    json.optional("attempts", value.attempts);
    std::optional<CurrentAttempt> attempt;
    json.optional("attempt", attempt);
    if (attempt) value.attempt_id = attempt->id, value.instance_id = attempt->instance_id;
    json.optional("times", value.times);
    std::optional<Output> output;
    json.optional("output", output);
    if (output) value.output_tree = output->tree, value.output_bytes = output->bytes;
    json.optional("image", value.image);
  }
};

template <>
struct Shape<BriefPart> {
  static void members(auto& json, auto& value) {
    Shape<Execution>::own_members(json, value.execution);
    Shape<ExecutionSpec>::part_members(json, value.execution.spec);
  }
};

template <>
struct Shape<PartsPage> {
  static void members(auto& json, auto& value) {
    json.required("executions", value.parts);
    json.optional("cursor", value.cursor);
  }
};

template <>
struct Shape<Submission> {
  static void members(auto& json, auto& value) {
    json.required("spec", value.spec);
    variables(json, "shell_environment", value.shell_environment);
    process_attributes(json, value.process_attributes);
    json.optional("wait_anyway", value.wait_anyway);
  }
};

template <>
struct Shape<IdDocument> {
  static void members(auto& json, auto& value) { json.required("id", value.id); }
};

template <>
struct Shape<ExecutionPage> {
  static void members(auto& json, auto& value) {
    json.required("executions", value.executions);
    json.optional("cursor", value.cursor);
  }
};

std::string spec_to_json(const ExecutionSpec& spec) { return write_document(spec); }
Result<ExecutionSpec> spec_from_json(std::string_view json) { return read_document<ExecutionSpec>(json); }

std::string execution_to_json(const Execution& execution) { return write_document(execution); }
Result<Execution> execution_from_json(std::string_view json) { return read_document<Execution>(json); }

std::string execution_document(const Execution& execution, std::string_view measures_json) {
  JsonWriter json;
  json.open('{');
  Shape<Execution>::members(json, execution);
  json.required("measures", JsonText{std::string(measures_json)});
  json.close('}');
  std::string document = json.take();
  // Texts that are only carried may hold line breaks, but only between their tokens.
  std::replace_if(
      document.begin(), document.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return document;
}

std::string submission_to_json(const Submission& submission) { return write_document(submission); }
Result<Submission> submission_from_json(std::string_view json) { return read_document<Submission>(json); }

std::string resources_to_json(const Resources& resources) { return write_document(resources); }
Result<Resources> resources_from_json(std::string_view json) { return read_document<Resources>(json); }

std::string id_to_json(const ExecutionId& id) { return write_document(IdDocument{id}); }
Result<ExecutionId> id_from_json(std::string_view json) {
  PLZ_ASSIGN(IdDocument document, read_document<IdDocument>(json));
  return document.id;
}

std::string execution_page_to_json(const ExecutionPage& page) { return write_document(page); }
Result<ExecutionPage> execution_page_from_json(std::string_view json) { return read_document<ExecutionPage>(json); }

std::string brief_part_to_json(const Execution& part) {
  JsonWriter json;
  json.open('{');
  Shape<Execution>::own_members(json, part);
  Shape<ExecutionSpec>::part_members(json, part.spec);
  json.close('}');
  return json.take();
}

Result<ExecutionPage> parts_page_from_json(std::string_view json) {
  PLZ_ASSIGN(PartsPage read, read_document<PartsPage>(json));
  ExecutionPage page;
  for (BriefPart& part : read.parts) page.executions.push_back(std::move(part.execution));
  page.cursor = read.cursor;
  return page;
}

}  // namespace plz
