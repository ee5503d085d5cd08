// Executions on the wire, in the CLI's --json and in history's documents: one shape for all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/process_attributes.h"
#include "base/result.h"
#include "model/execution.h"

namespace plz {

std::string spec_to_json(const ExecutionSpec& spec);
Result<ExecutionSpec> spec_from_json(std::string_view json);

// {"execution_id", "state", "success": true|false|null, "exit_status": n|null, "outcome": {…}|null,
//  "waiting_for", "attempt": {…}, "times": {…}, "durations": {…seconds…}, "output": {…}|null,
//  "image": {"id", "digest", "base_id", "base_digest"}|null, and the spec's members (user, project, command,
//  parameters, snapshot, input, …) beside them}
std::string execution_to_json(const Execution& execution);
Result<Execution> execution_from_json(std::string_view json);
// execution_to_json with "measures": the object given (JSON text), as history shows it.
std::string execution_document(const Execution& execution, std::string_view measures_json);

// POST /v1/executions
struct Submission {
  ExecutionSpec spec;
  // Of the submitting shell; taken by an embedded controller only.
  EnvironmentVariables shell_environment;
  ProcessAttributes process_attributes;
  bool wait_anyway = false;  // is queued also where it asks for more than there will ever be
};
std::string submission_to_json(const Submission& submission);
Result<Submission> submission_from_json(std::string_view json);

// POST /v1/resource-checks: {"cpus", "memory_bytes", "gpus"}
std::string resources_to_json(const Resources& resources);
Result<Resources> resources_from_json(std::string_view json);

// {"id": "…"}
std::string id_to_json(const ExecutionId& id);
Result<ExecutionId> id_from_json(std::string_view json);

// {"executions": […], "cursor": "…"|null}
struct ExecutionPage {
  std::vector<Execution> executions;
  std::optional<ExecutionId> cursor;  // give it as ?cursor= to get the next page
};
std::string execution_page_to_json(const ExecutionPage& page);
Result<ExecutionPage> execution_page_from_json(std::string_view json);

// Parts of a composite without what they have from it: of the spec's members, parent_id and indices only.
std::string brief_part_to_json(const Execution& part);
Result<ExecutionPage> parts_page_from_json(std::string_view json);  // of parts that are brief or whole

// Of an answer with a log: its first byte's place in the log. None of a composite's, which is made of several.
inline constexpr std::string_view kLogOffsetHeader = "Plz-Log-Offset";

}  // namespace plz
