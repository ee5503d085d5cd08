// An execution as a row: the columns, and both directions.
#pragma once

#include <optional>

#include "base/result.h"
#include "db/execution_records.h"
#include "db/sqlite/connection.h"

namespace plz {

// To be put after SELECT, where `e` is executions and `s` is specs. read_execution() reads them.
inline constexpr const char* kExecutionColumns =
    "s.number, s.spec, e.parent, e.first_index, e.end_index, e.id, e.version, e.state, e.instance, e.attempts, "
    "e.attempt, e.waiting_for, e.stop_requested, "
    "e.submitted, e.assigned, e.started, e.command_ended, e.finished, "
    "e.outcome, e.exit_status, e.signal, e.out_of_memory, e.reason, e.output_tree, e.output_bytes, "
    "e.image_id, e.image_digest, e.image_base_id, e.image_base_digest ";

// Reads rows into one record after another. The parts of a composite share a spec, which is decoded once where they
// follow each other.
class ExecutionRows {
 public:
  // Valid until the next call.
  Result<const ExecutionRecord*> read(Statement& row);
  ExecutionRecord take() { return shared_spec_ ? record_ : std::move(record_); }

 private:
  ExecutionRecord record_;
  std::optional<int64_t> shared_spec_;  // the number of the spec that the record has, where it is a part's
};

// Inserts the execution with its spec, version 0; returns its number.
Result<int64_t> insert_execution(Connection& connection, const Execution& execution,
                                 std::optional<int64_t> shell_environment);
// A part that shares its composite's spec: `number` is the composite's.
Result<void> insert_part(Connection& connection, int64_t number, const Execution& composite, const NewPart& part);
// Everything but the spec.
Result<void> update_execution(Connection& connection, int64_t number, const Execution& execution, uint64_t version);

}  // namespace plz
