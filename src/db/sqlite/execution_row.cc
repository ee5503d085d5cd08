#include "db/sqlite/execution_row.h"

#include "db/spec_codec.h"

namespace plz {

namespace {

constexpr const char* kInsert =
    "INSERT INTO executions (id, version, user, project, composite, parent, first_index, shell_environment, "
    "state, instance, attempts, attempt, waiting_for, stop_requested, submitted, assigned, started, command_ended, "
    "finished, outcome, exit_status, signal, out_of_memory, reason, output_tree, output_bytes, "
    "image_id, image_digest, image_base_id, image_base_digest) "
    "VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr const char* kInsertPart =
    "INSERT INTO executions (id, version, user, project, composite, parent, first_index, end_index, spec, state, "
    "submitted, attempts, waiting_for, stop_requested, output_bytes) "
    "VALUES (?, 0, ?, ?, 0, ?, ?, ?, ?, ?, ?, 0, '', 0, 0)";

constexpr const char* kUpdate =
    "UPDATE executions SET state = ?, instance = ?, attempts = ?, attempt = ?, waiting_for = ?, stop_requested = ?, "
    "submitted = ?, assigned = ?, started = ?, command_ended = ?, finished = ?, "
    "outcome = ?, exit_status = ?, signal = ?, out_of_memory = ?, reason = ?, output_tree = ?, output_bytes = ?, "
    "image_id = ?, image_digest = ?, image_base_id = ?, image_base_digest = ?, version = ? WHERE number = ?";

// The outcome's columns, all of them NULL where there is none.
struct OutcomeColumns {
  explicit OutcomeColumns(const std::optional<Outcome>& outcome) {
    if (!outcome) return;
    kind = outcome->kind;
    exit_status = outcome->exit_status;
    signal = outcome->signal;
    out_of_memory = outcome->out_of_memory;
    reason = outcome->reason;
  }
  OutcomeColumns() = default;
  std::optional<Outcome> outcome() const {
    if (!kind) return std::nullopt;
    return Outcome{*kind, exit_status, signal, out_of_memory.value_or(false), reason.value_or("")};
  }

  std::optional<OutcomeKind> kind;
  std::optional<int> exit_status, signal;
  std::optional<bool> out_of_memory;
  std::optional<std::string> reason;
};

struct ImageColumns {
  explicit ImageColumns(const std::optional<ImageIdentity>& image) {
    if (!image) return;
    id = image->id, digest = image->digest;
    if (!image->base_id.empty()) base_id = image->base_id, base_digest = image->base_digest;
  }
  ImageColumns() = default;
  std::optional<ImageIdentity> image() const {
    if (!id) return std::nullopt;
    return ImageIdentity{*id, digest.value_or(""), base_id.value_or(""), base_digest.value_or("")};
  }

  std::optional<std::string> id, digest, base_id, base_digest;
};

}  // namespace

Result<const ExecutionRecord*> ExecutionRows::read(Statement& row) {
  Execution& e = record_.execution;
  OutcomeColumns outcome;
  ImageColumns image;
  int64_t number = 0;
  std::string_view spec;
  std::optional<ExecutionId> parent;
  std::optional<int64_t> from, to;
  row.read(number, spec, parent, from, to, e.id, record_.version, e.state, e.instance_id, e.attempts, e.attempt_id,
           e.waiting_for, e.stop_requested, e.times.submitted, e.times.assigned, e.times.started, e.times.command_ended,
           e.times.finished, outcome.kind, outcome.exit_status, outcome.signal, outcome.out_of_memory, outcome.reason,
           e.output_tree, e.output_bytes, image.id, image.digest, image.base_id, image.base_digest);
  e.outcome = outcome.outcome();
  e.image = image.image();
  const bool is_shared = parent && from && to;
  if (!is_shared || shared_spec_ != number) {
    shared_spec_.reset();
    auto decoded = decode_spec(spec);
    if (!decoded) return fail(std::move(decoded).error().with_context("execution " + e.id.to_string()));
    e.spec = std::move(*decoded);
    if (is_shared) shared_spec_ = number;
  }
  if (is_shared) restrict_to_part(e.spec, *parent, IndexRange{*from, *to});
  return &record_;
}

Result<int64_t> insert_execution(Connection& connection, const Execution& e, std::optional<int64_t> shell_environment) {
  OutcomeColumns outcome(e.outcome);
  ImageColumns image(e.image);
  std::optional<int64_t> first_index;
  if (e.spec.indices) first_index = e.spec.indices->from;
  PLZ_ASSIGN(Statement insert, connection.statement(kInsert));
  insert.bind(e.id, e.spec.user, e.spec.project, e.spec.is_composite(), e.spec.parent_id, first_index,
              shell_environment, e.state, e.instance_id, e.attempts, e.attempt_id, e.waiting_for, e.stop_requested,
              e.times.submitted, e.times.assigned, e.times.started, e.times.command_ended, e.times.finished,
              outcome.kind, outcome.exit_status, outcome.signal, outcome.out_of_memory, outcome.reason, e.output_tree,
              e.output_bytes, image.id, image.digest, image.base_id, image.base_digest);
  PLZ_TRY(insert.run());
  int64_t number = connection.last_row_number();
  PLZ_ASSIGN(Statement spec, connection.statement("INSERT INTO specs (number, spec) VALUES (?, ?)"));
  spec.bind(number, Bytes{encode_spec(e.spec)});
  PLZ_TRY(spec.run());
  return number;
}

Result<void> insert_part(Connection& connection, int64_t number, const Execution& composite, const NewPart& part) {
  PLZ_ASSIGN(Statement insert, connection.statement(kInsertPart));
  insert.bind(part.id, composite.spec.user, composite.spec.project, composite.id, part.indices.from, part.indices.to,
              number, composite.state, composite.times.submitted);
  return insert.run();
}

Result<void> update_execution(Connection& connection, int64_t number, const Execution& e, uint64_t version) {
  OutcomeColumns outcome(e.outcome);
  ImageColumns image(e.image);
  PLZ_ASSIGN(Statement update, connection.statement(kUpdate));
  update.bind(e.state, e.instance_id, e.attempts, e.attempt_id, e.waiting_for, e.stop_requested, e.times.submitted,
              e.times.assigned, e.times.started, e.times.command_ended, e.times.finished, outcome.kind,
              outcome.exit_status, outcome.signal, outcome.out_of_memory, outcome.reason, e.output_tree, e.output_bytes,
              image.id, image.digest, image.base_id, image.base_digest, version, number);
  return update.run();
}

}  // namespace plz
