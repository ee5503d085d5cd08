// Executions: the one place that changes them. Unfinished ones are kept in memory as a cache of the
// database, which every change reaches first; of the queued parts of composites, only that they are there.
#pragma once

#include <functional>
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
#include "controller/services/execution_queue.h"
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
  // By their indices; from that index on, when one is given. `visit` returns false when it has enough, and must not
  // call back into here.
  using VisitPart = std::function<bool(const Execution&)>;
  Result<void> each_part(ExecutionId composite, std::optional<int64_t> from_index, const VisitPart& visit) const;
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

  // Calls back with each queued execution, oldest first; under the lock: short, and no call back into here.
  void each_queued(const ExecutionQueue::Visit& visit) const;
  size_t queued_before(ExecutionId id) const;
  bool is_queued(ExecutionId id) const;
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
    std::optional<ImageIdentity> image;  // of the first part that told one
    // Of so many parts, which ended likewise.
    void add_ends(const Outcome& outcome, size_t count);
  };

  Result<ExecutionRecord> read(ExecutionId id) const;
  Result<bool> try_change(ExecutionId id, const Mutate& mutate, Durability durability,
                          const std::optional<Attempt>& attempt, Execution& changed);
  // Takes in what was not in memory.
  void enter(const ExecutionRecord& record, const std::optional<Attempt>& attempt);
  // Of what is in memory: a newer version takes the place of an older one. What is not has ended meanwhile.
  void remember(const ExecutionRecord& record, const std::optional<Attempt>& attempt);
  void put(const ExecutionRecord& record, const std::optional<Attempt>& attempt);
  Result<void> load_composite(const ExecutionRecord& record);
  void tell(const Execution& execution);
  void tell_of_parts(const Execution& whole, const std::vector<ExecutionId>& parts, ExecutionState state);
  void part_changed(const Execution& before, const Execution& after);
  bool has_news_for(const Execution& composite) const;
  void update_composite(ExecutionId composite);
  Result<std::vector<Execution>> request_stop_of_parts(const Execution& composite);
  std::string measures_of(ExecutionId id, AttemptId attempt, const std::string& prefix) const;
  NewExecution prepare(Submission submission) const;

  Database& database_;
  Notifier& notifier_;
  EventLog& events_;
  const Clock& clock_;
  ReferenceWatch references_;
  mutable std::mutex mutex_;  // guards what follows; never held across a call to the database
  ExecutionQueue queue_;
  std::unordered_map<ExecutionId, ExecutionRecord> queued_;  // those in the queue that are no parts
  std::unordered_map<ExecutionId, Entry> assigned_;
  std::unordered_map<ExecutionId, ExecutionRecord> composites_;
  std::unordered_map<ExecutionId, Composite> tallies_;
};

}  // namespace plz
