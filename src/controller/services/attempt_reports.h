// What workers report of the attempts they run, taken into the records.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "controller/notifier.h"
#include "controller/services/blob_service.h"
#include "controller/services/execution_service.h"
#include "controller/services/worker_service.h"
#include "db/database.h"
#include "logs/log_store.h"
#include "wire/worker_api.h"

namespace plz {

// Repeated reports are harmless. Thread-safe.
class AttemptReports {
 public:
  AttemptReports(Database& database, ExecutionService& executions, WorkerService& workers, BlobService& blobs,
                 LogStore& logs, Notifier& notifier, const Clock& clock);

  Result<void> started(AttemptId id, const AttemptMoment& moment);
  Result<void> command_ended(AttemptId id, Timestamp time);
  // What keeps an attempt from being started; told of no other.
  Result<void> waiting(AttemptId id, const std::string& waiting_for);
  // conflict: there are new ones, and the execution has finished.
  Result<void> measures(AttemptId id, const std::vector<MeasureEvent>& events);
  // conflict: the log has not come as far as the report says, or the store lacks the output.
  Result<void> finish(AttemptId id, const FinishReport& report);
  // conflict: the store lacks it.
  Result<void> check_output(const std::optional<Digest>& tree);

 private:
  Result<void> mend_log(AttemptId id);
  Result<void> seal_preparation_log(AttemptId id, const Execution& execution);
  Result<void> check_not_over(const Attempt& attempt, const std::vector<MeasureEvent>& events);

  Database& database_;
  ExecutionService& executions_;
  WorkerService& workers_;
  BlobService& blobs_;
  LogStore& logs_;
  Notifier& notifier_;
  const Clock& clock_;
};

}  // namespace plz
