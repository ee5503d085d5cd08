// Executions: the one place that changes them. Unfinished ones are kept in memory as a cache of the
// database, which every change reaches first.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controller/collection/reference_watch.h"
#include "controller/notifier.h"
#include "controller/services/event_log.h"
#include "db/database.h"
#include "logs/log_store.h"
#include "model/execution.h"
#include "wire/execution_json.h"

namespace plz {

// Thread-safe.
class ExecutionService {
 public:
  ExecutionService(Database& database, Notifier& notifier, EventLog& events, const Clock& clock);

  // Reads the unfinished executions. Call once, before anything else.
  Result<void> load();

  // Durable when it returns. A composite's parts are made here, one for each group of indices.
  Result<ExecutionId> submit(Submission submission, const IdempotencyKey& idempotency_key);

  Result<Execution> get(ExecutionId id) const;  // not_found says the id
  Result<std::vector<Execution>> parts(ExecutionId composite) const;
  Result<SubmittingShell> submitting_shell(ExecutionId id) const;
  Result<Attempt> attempt(AttemptId id) const;
  // The execution whose current attempt this is; conflict when it has another by now.
  Result<Execution> of_attempt(AttemptId id) const;

  // Applies `mutate` to the execution as it is and stores the outcome; on an error of `mutate`
  // nothing is stored. Refuses transitions that the state machine does not know (conflict). Tells the
  // notifier under the execution's id, its composite's id and kAnyExecution.
  using Mutate = std::function<Result<void>(Execution&)>;
  Result<Execution> change(ExecutionId id, const Mutate& mutate, Durability durability,
                           const std::optional<Attempt>& attempt = std::nullopt);

  // Finishes a queued execution at once; marks others, whose worker is then told by the caller.
  // Returns those (parts of a composite) that an instance is working on.
  Result<std::vector<Execution>> request_stop(ExecutionId id);

  // Removes a finished execution, with its parts, measures and logs, for good. conflict: it has not
  // finished, or is a part.
  Result<void> remove(ExecutionId id, LogStore& logs);

  // Told of every tree that an execution comes to refer to.
  ReferenceWatch& references() { return references_; }

  // As history shows it, measures included.
  std::string document(const Execution& execution) const;
  std::string measures_json(const Execution& execution, const std::string& prefix) const;

  // Calls back with each queued execution, oldest first, until false is returned; under the lock:
  // short, and no call back into here.
  void each_queued(const std::function<bool(const Execution&)>& visit) const;
  // Those that an instance has in hand, with their attempt.
  void each_assigned(const std::function<void(const Execution&, const Attempt&)>& visit) const;
  size_t unfinished() const;
  bool is_unfinished(ExecutionId id) const;

  static Uuid any_execution();  // the notifier's key for "some execution changed"

 private:
  struct Entry {
    ExecutionRecord record;
    std::optional<Attempt> attempt;
  };
  struct Composite {
    size_t parts = 0, finished = 0, failed = 0, started = 0;
    std::optional<int> first_exit_status;
    bool stopped = false;
    std::optional<ImageIdentity> image;    // of the first part that told one
    void add_end(const Outcome& outcome);  // of a part
  };

  Result<ExecutionRecord> read(ExecutionId id) const;
  Result<bool> try_change(ExecutionId id, const Mutate& mutate, Durability durability,
                          const std::optional<Attempt>& attempt, Execution& changed);
  void remember(const ExecutionRecord& record, const std::optional<Attempt>& attempt);
  void tell(const Execution& execution);
  void part_changed(const Execution& before, const Execution& after);
  void update_composite(ExecutionId composite);
  std::vector<NewExecution> expand(Submission submission) const;

  Database& database_;
  Notifier& notifier_;
  EventLog& events_;
  const Clock& clock_;
  ReferenceWatch references_;
  mutable std::mutex mutex_;  // guards the four below; never held across a call to the database
  std::map<ExecutionId, Entry> queued_;
  std::unordered_map<ExecutionId, Entry> assigned_;
  std::unordered_map<ExecutionId, ExecutionRecord> composites_;
  std::unordered_map<ExecutionId, Composite> tallies_;
};

}  // namespace plz
