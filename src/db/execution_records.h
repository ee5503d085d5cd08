// Executions and their attempts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/process_attributes.h"
#include "base/result.h"
#include "db/durability.h"
#include "model/execution.h"

namespace plz {

struct ExecutionRecord {
  Execution execution;
  uint64_t version = 0;  // goes up with every save: for compare-and-swap
};

// Secret: deleted when the execution finishes; of parts that share it, when all of them have.
struct SubmittingShell {
  EnvironmentVariables variables;
  ProcessAttributes attributes;
  bool operator==(const SubmittingShell&) const = default;
  bool empty() const { return variables.empty() && attributes.empty(); }
};

// A part of a composite. Queued and submitted with the whole, it shares its spec (but for its indices:
// restrict_to_part()), its submitting shell, and its document.
struct NewPart {
  ExecutionId id;
  IndexRange indices;
};

struct NewExecution {
  Execution execution;  // queued, with its spec
  SubmittingShell shell;
  std::string document;          // see save()
  std::vector<Digest> required;  // blobs that must have a record at that moment: else conflict
  std::vector<NewPart> parts;    // of a composite
};

// What asking for the end of a composite came to: its parts that had not finished, in any order.
struct StoppedParts {
  std::vector<ExecutionId> ended;    // they were queued
  std::vector<ExecutionId> in_hand;  // an instance is working on them
};

// What makes a repeated request harmless: a text that the client chose, and the digest of the request it stands for.
struct IdempotencyKey {
  IdempotencyKey() = default;
  IdempotencyKey(std::string key, std::optional<Digest> of_request = {}) : text(std::move(key)), request(of_request) {}
  IdempotencyKey(const char* key) : text(key) {}

  std::string text;               // "": none
  std::optional<Digest> request;  // none: any request
};

struct ExecutionFilter {
  std::optional<std::string> user;
  std::optional<std::string> project;
  std::optional<ExecutionId> parent;  // parts of this composite, by their indices
  std::optional<InstanceId> instance;
  bool unfinished_only = false;
  bool top_level_only = false;  // no parts of composites
};

// Thread-safe.
class ExecutionRecords {
 public:
  virtual ~ExecutionRecords() = default;

  using Visit = std::function<bool(const ExecutionRecord&)>;  // false: enough; must not use the database

  // Stores all of them (a composite comes with its parts) or none, durably; returns the first's id. When
  // the idempotency key was used before by this user, nothing is stored and the id of then is returned;
  // conflict: it stood for another request. (Keys of an older database stand for any.)
  virtual Result<ExecutionId> create(const std::vector<NewExecution>& executions,
                                     const IdempotencyKey& idempotency_key) = 0;
  virtual Result<std::optional<ExecutionRecord>> find(ExecutionId id) = 0;
  // Newest first; `before` is a cursor: only those with a smaller id. Memory: one record, however many there are.
  virtual Result<void> each(const ExecutionFilter& filter, std::optional<ExecutionId> before, size_t limit,
                            const Visit& visit) = 0;
  Result<std::vector<ExecutionRecord>> list(const ExecutionFilter& filter, std::optional<ExecutionId> before,
                                            size_t limit);
  // Unfinished executions, oldest first: what the scheduler looks at. Composites themselves are not
  // among them, their parts are. Memory: one record, however many there are.
  virtual Result<void> each_unfinished(const Visit& visit) = 0;
  // The parts of a composite by their indices; from that index on, when one is given. Memory: one record.
  virtual Result<void> each_part(ExecutionId composite, std::optional<int64_t> from_index, const Visit& visit) = 0;

  // Compare-and-swap: stores everything but the spec if the version is still `expected_version`;
  // false: somebody was faster, read again. `attempt`, when given, is stored with it. `document` is
  // the execution as history shows it, JSON text; empty: the stored one stays. A finished execution
  // is never changed: conflict, except for its document. With the end of an execution ends the lease
  // that bears its attempt's id.
  virtual Result<bool> save(const Execution& execution, uint64_t expected_version,
                            const std::optional<Attempt>& attempt, const std::string& document,
                            Durability durability) = 0;
  // Asks for the end of a composite's unfinished parts, in one durable transaction: those that are queued finish
  // then, with this outcome; the others are marked, as far as they were not.
  virtual Result<StoppedParts> stop_parts(ExecutionId composite, const Outcome& outcome, Timestamp now) = 0;
  virtual Result<std::optional<Attempt>> find_attempt(AttemptId id) = 0;
  virtual Result<std::vector<Attempt>> attempts(ExecutionId id) = 0;  // by number
  virtual Result<SubmittingShell> submitting_shell(ExecutionId id) = 0;
  // Removes finished executions with everything about them.
  virtual Result<void> remove(ExecutionId id) = 0;
};

}  // namespace plz
