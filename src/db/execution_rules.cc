#include "db/execution_rules.h"

namespace plz {

Error no_such_execution(ExecutionId id) {
  return {ErrorCode::not_found, "there is no execution " + id.to_string(), ""};
}

Error not_finished(ExecutionId id) {
  return {ErrorCode::conflict, "execution " + id.to_string() + " is not finished", "stop it first"};
}

Error exists_already(ExecutionId id) {
  return {ErrorCode::conflict, "there is an execution " + id.to_string() + " already", ""};
}

Result<void> check_new(const Execution& execution) {
  if (execution.id.is_nil()) return fail(ErrorCode::invalid, "an execution without an id cannot be stored");
  return {};
}

Result<void> check_unchanged(const Execution& stored, const Execution& wanted) {
  bool same = stored.state == wanted.state && stored.outcome == wanted.outcome &&
              stored.waiting_for == wanted.waiting_for && stored.stop_requested == wanted.stop_requested &&
              stored.times == wanted.times && stored.attempts == wanted.attempts &&
              stored.attempt_id == wanted.attempt_id && stored.instance_id == wanted.instance_id &&
              stored.output_tree == wanted.output_tree && stored.output_bytes == wanted.output_bytes;
  if (same) return {};
  return fail(ErrorCode::conflict, "execution " + stored.id.to_string() + " is finished and cannot change");
}

Result<void> check_attempt(const Attempt& attempt, ExecutionId execution) {
  if (attempt.execution_id == execution) return {};
  return fail(ErrorCode::invalid,
              "attempt " + attempt.id.to_string() + " is not one of execution " + execution.to_string());
}

Result<void> check_same_request(const IdempotencyKey& key, const std::optional<Digest>& earlier, ExecutionId id) {
  if (!earlier || !key.request || *earlier == *key.request) return {};
  return fail(ErrorCode::conflict,
              "the idempotency key stands for another request, which was execution " + id.to_string(),
              "give each request a key of its own, and the same one only to repeat it");
}

Error lacks_blob(const Digest& digest) {
  return {ErrorCode::conflict, "the store lacks the blob " + digest.hex(), "send it first, under a lease"};
}

Error not_replaced(const Uuid& pack) {
  return {ErrorCode::conflict, "the pack " + pack.to_string() + " holds other blobs by now", {}};
}

}  // namespace plz
