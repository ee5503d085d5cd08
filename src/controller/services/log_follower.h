// Streams of logs: one execution's, or a composite's parts merged by whole lines; what the jobs print, or
// what was printed while their environments were prepared.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "controller/notifier.h"
#include "controller/pumped_stream.h"
#include "controller/services/execution_service.h"
#include "logs/log_store.h"

namespace plz {

// Where in a log to begin.
struct LogStart {
  enum class Kind { offset, time, now };
  Kind kind = Kind::offset;
  uint64_t offset = 0;
  Timestamp time;
};

enum class LogKind { job, preparation };
Uuid log_of(AttemptId attempt, LogKind kind);

// At which byte a log that is asked for at this moment begins. Of an execution without an attempt all is
// still to come: at the first.
Result<uint64_t> offset_in_log(const Execution& execution, LogStore& logs, LogStart start, LogKind kind = LogKind::job);

// Follows the log of the execution's current attempt; with `follow`, to its end, which of the log of the
// preparation is the job's start. An execution that is queued is waited for.
std::unique_ptr<Producer> follow_log(ExecutionService& executions, LogStore& logs, Notifier& notifier, ExecutionId id,
                                     uint64_t offset, bool follow, LogKind kind = LogKind::job);

struct PartLog {
  ExecutionId id;
  uint64_t offset = 0;  // where to begin
};
std::unique_ptr<Producer> follow_composite(ExecutionService& executions, LogStore& logs, Notifier& notifier,
                                           ExecutionId composite, const std::vector<PartLog>& parts, bool follow,
                                           LogKind kind = LogKind::job);

}  // namespace plz
